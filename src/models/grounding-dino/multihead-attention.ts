import { tf } from '../../backend/index.js';
import { type BlockMode, dropout, Linear, Module, xavierUniform } from '../../nn/index.js';
import { attend, mergeHeads, splitHeads } from '../../ops/index.js';
import type { GroundingDinoConfig } from './config.js';

export interface MultiheadAttentionArgs {
  /** [B, N, d] f32. */
  readonly query: tf.Tensor;
  /** [B, M, d] f32. */
  readonly key: tf.Tensor;
  /** [B, M, d] f32. */
  readonly value: tf.Tensor;
  /** Added to the scores; broadcasts to [B, heads, N, M]. */
  readonly bias?: tf.Tensor | undefined;
}

/** Multi-head attention with separate projections of query, key and value. */
export class MultiheadAttention extends Module {
  private readonly query: Linear;
  private readonly key: Linear;
  private readonly value: Linear;
  private readonly outProj: Linear;
  private readonly heads: number;
  private readonly dropoutRate: number;

  constructor({ dModel, attentionDropout }: GroundingDinoConfig, heads: number) {
    super();
    this.heads = heads;
    this.dropoutRate = attentionDropout;
    const options = { weightInit: xavierUniform };
    this.query = this.child('query', new Linear(dModel, dModel, options));
    this.key = this.child('key', new Linear(dModel, dModel, options));
    this.value = this.child('value', new Linear(dModel, dModel, options));
    this.outProj = this.child('out_proj', new Linear(dModel, dModel, options));
  }

  /** @returns [B, N, d] f32. */
  forward({ query, key, value, bias }: MultiheadAttentionArgs, mode: BlockMode): tf.Tensor3D {
    const projected = { query: this.query.forward(query), key: this.key.forward(key), value: this.value.forward(value) };
    const drops = mode.training && this.dropoutRate > 0;
    const { precision } = this.query;
    if (bias === undefined && !drops)
      return this.outProj.forward(attend({ ...projected, heads: this.heads, precision })) as tf.Tensor3D;
    const q = splitHeads(projected.query, this.heads); // [B, H, N, dh]
    const k = splitHeads(projected.key, this.heads); // [B, H, M, dh]
    const v = splitHeads(projected.value, this.heads); // [B, H, M, dh]
    const scores = tf.matMul(tf.mul(q, 1 / Math.sqrt(q.shape[3])), k, false, true); // [B, H, N, M]
    const weights = tf.softmax(bias === undefined ? scores : tf.add(scores, bias)) as tf.Tensor4D;
    const kept: tf.Tensor4D = dropout(weights, this.dropoutRate, mode);
    const mixed: tf.Tensor4D = tf.matMul(kept, v); // [B, H, N, dh]
    return this.outProj.forward(mergeHeads(mixed)) as tf.Tensor3D;
  }
}
