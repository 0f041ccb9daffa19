import { tf } from '../../backend/index.js';
import { type ForwardContext, LayerNorm, Linear, Module, TensorLayer, throughHidden } from '../../nn/index.js';
import { attend, groupAttention, hasGroupAttention } from '../../ops/index.js';
import type { VisionConfig } from './config.js';

/** A transformer block: self-attention, then an MLP, each after a norm and with a residual connection. */
export class VisionBlock extends TensorLayer {
  private readonly norm1: LayerNorm;
  private readonly attention: Attention;
  private readonly norm2: LayerNorm;
  private readonly expand: Linear;
  private readonly contract: Linear;
  private readonly config: VisionConfig;

  constructor(config: VisionConfig) {
    super();
    const { hiddenSize, intermediateSize, layerNormEps } = config;
    this.config = config;
    this.norm1 = this.child('norm1', new LayerNorm(hiddenSize, layerNormEps));
    this.attention = this.child('attn', new Attention(config));
    this.norm2 = this.child('norm2', new LayerNorm(hiddenSize, layerNormEps));
    this.expand = this.child('mlp.fc1', new Linear(hiddenSize, intermediateSize));
    this.contract = this.child('mlp.fc2', new Linear(intermediateSize, hiddenSize));
  }

  /**
   * @param x - [B, N, C] f32.
   * @returns the same shape.
   */
  forward(x: tf.Tensor3D, context: ForwardContext): tf.Tensor3D {
    return this.firstTokens(x, x.shape[1], context);
  }

  /**
   * Only the first tokens of {@link forward}'s result; all tokens are attended to. Nothing else is needed of a last block whose
   * class token is pooled.
   *
   * @returns [B, count, C] f32.
   */
  firstTokens(x: tf.Tensor3D, count: number, context: ForwardContext): tf.Tensor3D {
    return context.block(this, { x }, (inputs) => {
      const seen = tf.add(firstOf(inputs.x, count), this.attention.firstTokens(this.norm1.forward(inputs.x), count)); // [B, count, C]
      const hidden = { expand: this.expand, activate: this.config.hiddenAct, contract: this.contract, addTo: seen };
      return { y: throughHidden(this.norm2.forward(seen), hidden) as tf.Tensor3D }; // [B, count, C]
    }).y;
  }

  /**
   * What one of the norms gives for the block's input.
   *
   * @param x - [B, N, C] f32.
   * @returns the same shape.
   */
  normed(x: tf.Tensor3D, norm: BlockNorm, context: ForwardContext): tf.Tensor3D {
    return context.block(this, { x }, (inputs) => {
      const before = this.norm1.forward(inputs.x);
      if (norm === 'norm1') return { y: before as tf.Tensor3D };
      return { y: this.norm2.forward(tf.add(inputs.x, this.attention.firstTokens(before, x.shape[1]))) as tf.Tensor3D };
    }).y;
  }

  /**
   * The first token of {@link forward}'s result if a norm had given another one, for gradients with respect to it.
   *
   * @param normed - [B, N, C] f32, in place of {@link normed}.
   * @returns [B, 1, C] f32.
   */
  firstTokenFrom(x: tf.Tensor3D, norm: BlockNorm, normed: tf.Tensor3D, context: ForwardContext): tf.Tensor3D {
    return context.block(this, { x, normed }, (inputs) => {
      const before = norm === 'norm1' ? inputs.normed : this.norm1.forward(inputs.x);
      const seen = tf.add(firstOf(inputs.x, 1), this.attention.firstTokens(before as tf.Tensor3D, 1));
      const after = norm === 'norm2' ? firstOf(inputs.normed, 1) : this.norm2.forward(seen);
      const hidden = { expand: this.expand, activate: this.config.hiddenAct, contract: this.contract, addTo: seen };
      return { y: throughHidden(after, hidden) as tf.Tensor3D };
    }).y;
  }
}

/** A norm of a block: before its attention, or before its MLP. */
export type BlockNorm = 'norm1' | 'norm2';

class Attention extends Module {
  private readonly qkv: Linear;
  private readonly proj: Linear;
  private readonly heads: number;

  constructor({ hiddenSize, numAttentionHeads }: VisionConfig) {
    super();
    this.heads = numAttentionHeads;
    this.qkv = this.child('qkv', new Linear(hiddenSize, 3 * hiddenSize));
    this.proj = this.child('proj', new Linear(hiddenSize, hiddenSize));
  }

  /** [B, N, C] to [B, count, C]. */
  firstTokens(x: tf.Tensor3D, count: number): tf.Tensor3D {
    const [b, n, c] = x.shape;
    const { heads } = this;
    const qkv = this.qkv.forward(x) as tf.Tensor3D; // [B, N, 3 C]
    if (count === n && hasGroupAttention()) {
      const groups = { count: b };
      const columns = { query: qkv, key: qkv, value: qkv, offsets: [0, c, 2 * c] as const };
      const mixed = groupAttention({ ...columns, heads, depth: c / heads, queryGroups: groups, keyGroups: groups });
      return this.proj.forward(tf.reshape(mixed, [b, n, c])) as tf.Tensor3D;
    }
    const [query, key, value] = tf.split<tf.Tensor3D>(qkv, 3, -1) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
    return this.proj.forward(attend({ query: firstOf(query, count), key, value, heads })) as tf.Tensor3D;
  }
}

/** The first tokens: [B, N, C] to [B, count, C]. */
function firstOf(x: tf.Tensor3D, count: number): tf.Tensor3D {
  const [b, n, c] = x.shape;
  return count === n ? x : tf.slice(x, [0, 0, 0], [b, count, c]);
}
