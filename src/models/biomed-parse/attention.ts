import { tf } from '../../backend/index.js';
import { Linear, Module, xavierUniform } from '../../nn/index.js';
import { groupAttention, hasGroupAttention, mergeHeads, scaledDotProductAttention, splitHeads } from '../../ops/index.js';

export interface AttentionInputs {
  /** [B, N, C] f32. */
  readonly query: tf.Tensor;
  /** [B, M, C] f32. */
  readonly key: tf.Tensor;
  /** [B, M, C] f32. */
  readonly value: tf.Tensor;
  /** [B or 1, N, M] bool, true where a query must not attend to a key. No row may be true throughout. */
  readonly blocked?: tf.Tensor3D | undefined;
}

/** Score of what a query must not attend to: its share is exactly 0 beside any other score. */
const NEVER = -1e9;

/** Multi-head attention, torch's `MultiheadAttention` with its fused projections apart. */
export class Attention extends Module {
  private readonly query: Linear;
  private readonly key: Linear;
  private readonly value: Linear;
  private readonly out: Linear;
  private readonly heads: number;

  constructor(channels: number, heads: number) {
    super();
    const options = { weightInit: xavierUniform };
    this.heads = heads;
    this.query = this.child('query', new Linear(channels, channels, options));
    this.key = this.child('key', new Linear(channels, channels, options));
    this.value = this.child('value', new Linear(channels, channels, options));
    this.out = this.child('out_proj', new Linear(channels, channels, options));
  }

  /** @returns [B, N, C] f32. */
  forward({ query, key, value, blocked }: AttentionInputs): tf.Tensor3D {
    return tf.tidy(() => {
      const mask = blocked === undefined ? undefined : (tf.mul(tf.cast(blocked, 'float32'), NEVER) as tf.Tensor3D);
      const [q, k, v] = [this.query.forward(query), this.key.forward(key), this.value.forward(value)];
      return this.out.forward(this.mix(q, k, v, mask)) as tf.Tensor3D;
    });
  }

  private mix(query: tf.Tensor, key: tf.Tensor, value: tf.Tensor, mask: tf.Tensor3D | undefined): tf.Tensor3D {
    const { heads } = this;
    const [b = 0, n = 0, c = 0] = query.shape;
    if (hasGroupAttention()) {
      const sizes = { heads, depth: c / heads, queryGroups: { count: b }, keyGroups: { count: b } };
      return tf.reshape(groupAttention({ query, key, value, ...sizes, mask, precision: this.query.precision }), [b, n, c]);
    }
    const split = (x: tf.Tensor) => splitHeads(x, heads);
    const bias = mask && tf.expandDims(mask, 1); // [B or 1, 1, N, M]
    return mergeHeads(scaledDotProductAttention({ query: split(query), key: split(key), value: split(value), bias }));
  }
}
