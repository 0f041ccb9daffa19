import { tf } from '../backend/index.js';

/** One-dimensional interpolation weights, [outSize, inSize] row-major. */
export type AxisWeights = (inSize: number, outSize: number) => Float32Array;

/** Bilinear with half-pixel centres (torch's `align_corners=False`, no antialiasing). */
export const bilinearWeights: AxisWeights = (inSize, outSize) => {
  const weights = new Float32Array(outSize * inSize);
  for (let o = 0; o < outSize; o++) {
    const x = Math.max(0, ((o + 0.5) * inSize) / outSize - 0.5);
    const low = Math.min(Math.floor(x), inSize - 1);
    const high = Math.min(low + 1, inSize - 1);
    const fraction = x - low;
    weights[o * inSize + low] = (weights[o * inSize + low] ?? 0) + 1 - fraction;
    weights[o * inSize + high] = (weights[o * inSize + high] ?? 0) + fraction;
  }
  return weights;
};

/**
 * Bilinear with half-pixel centres and a kernel that widens when downsampling, like torch's `interpolate(antialias=True)`; when
 * upsampling, equal to {@link bilinearWeights}.
 */
export const antialiasedWeights: AxisWeights = (inSize, outSize) => {
  const weights = new Float32Array(outSize * inSize);
  const scale = inSize / outSize;
  const reach = Math.max(scale, 1);
  for (let o = 0; o < outSize; o++) {
    const centre = (o + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const end = Math.min(inSize, Math.trunc(centre + reach + 0.5));
    const shares = Array.from({ length: end - first }, (_, k) => Math.max(0, 1 - Math.abs((first + k + 0.5 - centre) / reach)));
    const sum = shares.reduce((a, b) => a + b, 0);
    for (const [k, share] of shares.entries()) weights[o * inSize + first + k] = share / sum;
  }
  return weights;
};

/** Bicubic (Keys, a = -0.75, edges replicated) with half-pixel centres, like torch's `interpolate(mode='bicubic')`. */
export const bicubicWeights: AxisWeights = (inSize, outSize) => {
  const a = -0.75;
  const near = (t: number) => ((a + 2) * t - (a + 3)) * t * t + 1;
  const far = (t: number) => ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
  const weights = new Float32Array(outSize * inSize);
  for (let o = 0; o < outSize; o++) {
    const x = ((o + 0.5) * inSize) / outSize - 0.5;
    const low = Math.floor(x);
    const t = x - low;
    for (const [k, weight] of [far(t + 1), near(t), near(1 - t), far(2 - t)].entries()) {
      const i = o * inSize + Math.min(Math.max(low - 1 + k, 0), inSize - 1);
      weights[i] = (weights[i] ?? 0) + weight;
    }
  }
  return weights;
};

/**
 * Resizes NHWC maps by two matrix products, Y = Wy X Wxᵀ, whose gradient is correct, unlike that of `tf.image.resizeBilinear` for
 * half-pixel centres.
 *
 * @param x - [B, H, W, C] f32.
 * @param size - [height, width] of the result.
 * @returns [B, height, width, C] f32.
 */
function resizeSeparable(x: tf.Tensor4D, [height, width]: readonly [number, number], axisWeights: AxisWeights): tf.Tensor4D {
  return tf.tidy(() => {
    const [b, h, w, c] = x.shape;
    if (h === height && w === width) return x.clone();
    const wy = tf.tensor2d(axisWeights(h, height), [height, h]);
    const wx = tf.tensor2d(axisWeights(w, width), [width, w]);
    const rows = tf.transpose(x, [1, 0, 2, 3]).reshape([h, b * w * c]) as tf.Tensor2D;
    const tall = tf.matMul(wy, rows).reshape([height, b, w, c]); // [H', B, W, C]
    const columns = tf.transpose(tall, [2, 1, 0, 3]).reshape([w, b * height * c]) as tf.Tensor2D;
    const wide = tf.matMul(wx, columns).reshape([width, b, height, c]); // [W', B, H', C]
    return tf.transpose(wide, [1, 2, 0, 3]) as tf.Tensor4D; // [B, H', W', C]
  });
}

/** {@link resizeSeparable} with {@link bilinearWeights}. */
export function resizeBilinear(x: tf.Tensor4D, size: readonly [number, number]): tf.Tensor4D {
  return resizeSeparable(x, size, bilinearWeights);
}

/** {@link resizeSeparable} with {@link bicubicWeights}. */
export function resizeBicubic(x: tf.Tensor4D, size: readonly [number, number]): tf.Tensor4D {
  return resizeSeparable(x, size, bicubicWeights);
}

/** {@link resizeSeparable} with {@link antialiasedWeights}. */
export function resizeAntialiased(x: tf.Tensor4D, size: readonly [number, number]): tf.Tensor4D {
  return resizeSeparable(x, size, antialiasedWeights);
}
