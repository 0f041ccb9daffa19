import { tf } from '../../backend/index.js';
import { Linear, Module } from '../../nn/index.js';
import { mergeHeads, scaledDotProductAttention, splitHeads } from '../../ops/index.js';

export interface MultiScaleAttentionOptions {
  readonly dim: number;
  readonly dimOut: number;
  readonly heads: number;
  /** Rows and columns of queries that are pooled into one. */
  readonly queryStride: readonly [number, number] | undefined;
}

/** Self-attention within windows whose queries may be pooled, so that the result is a smaller map. */
export class MultiScaleAttention extends Module {
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
    const [b, h, w] = x.shape;
    const [query, key, value] = tf.split(this.qkv.forward(tf.reshape(x, [b, h * w, -1])), 3, -1) as [
      tf.Tensor3D,
      tf.Tensor3D,
      tf.Tensor3D,
    ]; // [B, hw, dimOut] each
    const pooled = maxPool(tf.reshape(query, [b, h, w, -1]) as tf.Tensor4D, this.queryStride); // [B, h', w', dimOut]
    const [, h2, w2, dimOut] = pooled.shape;
    const attended = scaledDotProductAttention({
      query: splitHeads(tf.reshape(pooled, [b, h2 * w2, dimOut]), this.heads),
      key: splitHeads(key, this.heads),
      value: splitHeads(value, this.heads),
    });
    return tf.reshape(this.proj.forward(mergeHeads(attended)), [b, h2, w2, dimOut]); // [B, h', w', dimOut]
  }
}

/** The largest value of each cell of `stride` rows and columns; incomplete cells are dropped. */
export function maxPool(x: tf.Tensor4D, stride: readonly [number, number] | undefined): tf.Tensor4D {
  return stride === undefined ? x : tf.maxPool(x, [...stride], [...stride], 'valid');
}
