import { tf } from '../backend/index.js';

/**
 * Zero-pads both sides to multiples of `size`. Returns `x` itself if they already are.
 *
 * @param x - [B, H, W, C] f32.
 */
export function padToMultiple(x: tf.Tensor4D, size: number): tf.Tensor4D {
  const [, h, w] = x.shape;
  const bottom = (size - (h % size)) % size;
  const right = (size - (w % size)) % size;
  if (bottom === 0 && right === 0) return x;
  return tf.pad(x, [
    [0, 0],
    [0, bottom],
    [0, right],
    [0, 0],
  ]);
}

/**
 * Splits a map into square windows and its channels into heads, with a single transposition.
 *
 * @param x - [B, H, W, heads * d] f32, both sides multiples of `size`.
 * @returns [B * windows, heads, size * size, d], windows and the tokens in them row by row.
 */
export function splitWindows(x: tf.Tensor4D, size: number, heads = 1): tf.Tensor4D {
  const [b, h, w, c] = x.shape;
  const rows = h / size;
  const columns = w / size;
  const d = c / heads;
  const cut = tf.reshape(x, [b * rows, size, columns, size, heads, d]);
  return tf.reshape(tf.transpose(cut, [0, 2, 4, 1, 3, 5]), [b * rows * columns, heads, size * size, d]);
}

/**
 * Inverse of {@link splitWindows}.
 *
 * @param windows - [B * windows, heads, size * size, d] f32.
 * @param map - height and width of the result, multiples of `size`.
 * @returns [B, H, W, heads * d].
 */
export function joinWindows(windows: tf.Tensor4D, size: number, [h, w]: readonly [number, number]): tf.Tensor4D {
  const [count, heads, area, d] = windows.shape;
  const rows = h / size;
  const columns = w / size;
  const cut = tf.reshape(windows, [count / columns, columns, heads, area / size, size, d]);
  return tf.reshape(tf.transpose(cut, [0, 3, 1, 4, 2, 5]), [count / (rows * columns), h, w, heads * d]);
}

/**
 * Cyclic shift by `dy` rows and `dx` columns, like torch's `roll`. One gather in each direction: its custom gradient is the
 * opposite shift, where that of gather would be a scatter.
 *
 * @param x - [B, H, W, C] f32.
 */
export function cyclicShift(x: tf.Tensor4D, [dy, dx]: readonly [number, number]): tf.Tensor4D {
  const op = tf.customGrad((input) => ({
    value: shiftByGather(input as tf.Tensor4D, dy, dx),
    gradFunc: (gradient: tf.Tensor) => shiftByGather(gradient as tf.Tensor4D, -dy, -dx),
  }));
  return op(x) as tf.Tensor4D;
}

function shiftByGather(x: tf.Tensor4D, dy: number, dx: number): tf.Tensor4D {
  const [b, h, w, c] = x.shape;
  const sources = new Int32Array(h * w);
  for (let i = 0; i < h; i++) {
    const row = modulo(i - dy, h) * w;
    for (let j = 0; j < w; j++) sources[i * w + j] = row + modulo(j - dx, w);
  }
  return tf.tidy(() => tf.reshape(tf.gather(tf.reshape(x, [b, h * w, c]), tf.tensor1d(sources, 'int32'), 1), x.shape));
}

function modulo(a: number, n: number): number {
  return ((a % n) + n) % n;
}

/**
 * Additive attention mask that separates tokens which a cyclic shift by -`shift` brought into one window from different parts of
 * the map.
 *
 * @param map - height and width, multiples of `size`.
 * @returns [windows, size * size, size * size] f32: 0 where two tokens belong together, else -100.
 * @see Liu et al. 2021, "Swin Transformer", section 3.2
 */
export function shiftedWindowMask([h, w]: readonly [number, number], size: number, shift: number): tf.Tensor3D {
  const columns = w / size;
  const area = size * size;
  const regions = new Int32Array(h * w);
  for (let i = 0; i < h; i++) {
    for (let j = 0; j < w; j++) {
      const window = Math.floor(i / size) * columns + Math.floor(j / size);
      regions[window * area + (i % size) * size + (j % size)] = 3 * region(i, h, size, shift) + region(j, w, size, shift);
    }
  }
  return tf.tidy(() => {
    const ids = tf.tensor2d(regions, [(h * w) / area, area], 'int32');
    const apart = tf.notEqual(tf.expandDims(ids, 2), tf.expandDims(ids, 1));
    return tf.mul(tf.cast(apart, 'float32'), -100) as tf.Tensor3D;
  });
}

/** 0 before the last window of an axis, then 1, and 2 for the part that was shifted around from the other end. */
function region(position: number, length: number, size: number, shift: number): number {
  return Number(position >= length - size) + Number(position >= length - shift);
}

/**
 * For each pair of tokens of a square window, the row of their relative position in a table [(2 size - 1)², heads].
 *
 * @returns size⁴ indices, row-major as [query, key].
 */
export function relativePositionIndex(size: number): Int32Array {
  const area = size * size;
  const index = new Int32Array(area * area);
  for (let query = 0; query < area; query++) {
    for (let key = 0; key < area; key++) {
      const dy = Math.floor(query / size) - Math.floor(key / size) + size - 1;
      const dx = (query % size) - (key % size) + size - 1;
      index[query * area + key] = dy * (2 * size - 1) + dx;
    }
  }
  return index;
}
