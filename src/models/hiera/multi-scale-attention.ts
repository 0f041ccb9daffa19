import { largestTensorSize, tf } from '../../backend/index.js';
import { addLinear, Linear, linear, TensorLayer } from '../../nn/index.js';
import { attend, groupAttention, hasGroupAttention, windowRows } from '../../ops/index.js';

export interface MultiScaleAttentionOptions {
  readonly dim: number;
  readonly dimOut: number;
  readonly heads: number;
  /** Rows and columns of the query pooling. */
  readonly queryStride: readonly [number, number] | undefined;
}

/** Windowed self-attention with optional query pooling, which reduces the size of the map. */
export class MultiScaleAttention extends TensorLayer {
  private readonly qkv: Linear;
  private readonly proj: Linear;
  private readonly heads: number;
  private readonly queryStride: readonly [number, number] | undefined;

  constructor({ dim, dimOut, heads, queryStride }: MultiScaleAttentionOptions) {
    super();
    this.qkv = this.child('qkv', new Linear(dim, 3 * dimOut));
    this.proj = this.child('proj', new Linear(dimOut, dimOut));
    this.heads = heads;
    this.queryStride = queryStride;
  }

  /**
   * @param x - [B, h, w, dim] f32: windows, or whole maps.
   * @returns [B, h', w', dimOut], pooled by the query stride.
   */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    const [b, h, w, dim] = x.shape;
    const together = Math.max(1, Math.floor(largestTensorSize() / (h * w * this.qkv.outFeatures)));
    if (together >= b) return this.forwardTogether(x);
    // For devices whose tensors cannot hold all queries, keys and values.
    const parts = Array.from({ length: Math.ceil(b / together) }, (_, i) =>
      tf.tidy(() => {
        const count = Math.min(together, b - i * together);
        return this.forwardTogether(tf.slice(x, [i * together, 0, 0, 0], [count, h, w, dim]));
      }),
    );
    return tf.concat(parts, 0);
  }

  private forwardTogether(x: tf.Tensor4D): tf.Tensor4D {
    const [b, h, w] = x.shape;
    const [query, key, value] = tf.split(this.qkv.forward(tf.reshape(x, [b, h * w, -1])), 3, -1) as [
      tf.Tensor3D,
      tf.Tensor3D,
      tf.Tensor3D,
    ]; // [B, hw, dimOut] each
    const pooled = maxPool(tf.reshape(query, [b, h, w, -1]) as tf.Tensor4D, this.queryStride); // [B, h', w', dimOut]
    const [, h2, w2, dimOut] = pooled.shape;
    const { precision } = this.qkv;
    const attended = attend({ query: tf.reshape(pooled, [b, h2 * w2, dimOut]), key, value, heads: this.heads, precision });
    return tf.reshape(this.proj.forward(attended), [b, h2, w2, dimOut]); // [B, h', w', dimOut]
  }

  /** Whether {@link forwardInPlace} is applicable: pooling must neither mix tokens with padding nor split windows. */
  canRunInPlace(x: tf.Tensor4D, size: number): boolean {
    const [, h, w] = x.shape;
    const [dy, dx] = this.queryStride ?? [1, 1];
    return hasGroupAttention() && dy === dx && h % dy === 0 && w % dx === 0 && size % dy === 0;
  }

  /**
   * Same as `forward` on whole maps, reading windows in place. Padding tokens project to the bias, as their input is zero.
   *
   * @param x - [B, H, W, dim] f32, of any size.
   * @param size - side of a window; 0: the whole map.
   * @param shortcut - [B, H', W', dimOut] f32, added to the result.
   * @returns [B, H', W', dimOut] f32, pooled by the query stride.
   */
  forwardInPlace(x: tf.Tensor4D, size: number, shortcut: tf.Tensor4D): tf.Tensor4D {
    const [b, h, w] = x.shape;
    const dimOut = this.proj.inFeatures;
    const stride = this.queryStride?.[0] ?? 1;
    const { query, keyValue, offsets } = this.project(x);
    const [, h2, w2] = query.shape;
    const groups = (sides: readonly [number, number], side: number) => {
      if (side === 0) return { count: b };
      const rows = windowRows([b, ...sides], side);
      return { count: rows.length / side ** 2, rows };
    };
    const bias = this.qkv.bias?.value;
    const attended = groupAttention({
      query,
      key: keyValue,
      value: keyValue,
      offsets,
      heads: this.heads,
      depth: dimOut / this.heads,
      queryGroups: groups([h2, w2], size / stride),
      keyGroups: groups([h, w], size),
      padding: bias && [tf.slice(bias, dimOut, dimOut), tf.slice(bias, 2 * dimOut, dimOut)],
      precision: this.qkv.precision,
    });
    return addLinear(shortcut, this.proj, attended.reshape([b, h2, w2, dimOut]));
  }

  /** Pooled queries, and the map of keys and values, with the channel offsets of queries, keys and values. */
  private project(x: tf.Tensor4D): { query: tf.Tensor4D; keyValue: tf.Tensor4D; offsets: [number, number, number] } {
    const dimOut = this.proj.inFeatures;
    const { weight, bias } = this.qkv.plain ?? {};
    // A packed weight cannot be cut.
    if (this.queryStride === undefined || weight === undefined || bias === undefined || weight.packed !== undefined) {
      const together = this.qkv.forward(x) as tf.Tensor4D; // [B, H, W, 3 dimOut]
      if (this.queryStride === undefined) return { query: together, keyValue: together, offsets: [0, dimOut, 2 * dimOut] };
      const query = tf.slice(together, [0, 0, 0, 0], [...x.shape.slice(0, 3), dimOut]) as tf.Tensor4D;
      return { query: maxPool(query, this.queryStride), keyValue: together, offsets: [0, dimOut, 2 * dimOut] };
    }
    // Separately, so that the queries need not be copied out of a joint map.
    const rows = (from: number, count: number) =>
      linear(x, tf.slice(weight.value, [from, 0], [count, -1]), tf.slice(bias.value, from, count)) as tf.Tensor4D;
    return { query: maxPool(rows(0, dimOut), this.queryStride), keyValue: rows(dimOut, 2 * dimOut), offsets: [0, 0, dimOut] };
  }
}

/** Max pooling over cells of `stride` rows and columns; incomplete cells are dropped. */
export function maxPool(x: tf.Tensor4D, stride: readonly [number, number] | undefined): tf.Tensor4D {
  return stride === undefined ? x : tf.maxPool(x, [...stride], [...stride], 'valid');
}
