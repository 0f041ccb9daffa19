import { tf } from '../../backend/index.js';
import { activated, type BlockMode, dropout, type ForwardContext, LayerNorm, Linear, Module, normal } from '../../nn/index.js';
import { mergeHeads, splitHeads } from '../../ops/index.js';
import type { BertConfig } from './config.js';

/** A transformer layer: self-attention, then an MLP, each with a residual connection and post-norm. */
export class BertLayer extends Module {
  private readonly config: BertConfig;
  private readonly query: Linear;
  private readonly key: Linear;
  private readonly value: Linear;
  private readonly attended: Linear;
  private readonly attendedNorm: LayerNorm;
  private readonly expand: Linear;
  private readonly contract: Linear;
  private readonly contractNorm: LayerNorm;

  constructor(config: BertConfig) {
    super();
    const { hiddenSize, intermediateSize, layerNormEps } = config;
    this.config = config;
    const options = { weightInit: normal(config.initializerRange) };
    this.query = this.child('attention.self.query', new Linear(hiddenSize, hiddenSize, options));
    this.key = this.child('attention.self.key', new Linear(hiddenSize, hiddenSize, options));
    this.value = this.child('attention.self.value', new Linear(hiddenSize, hiddenSize, options));
    this.attended = this.child('attention.output.dense', new Linear(hiddenSize, hiddenSize, options));
    this.attendedNorm = this.child('attention.output.LayerNorm', new LayerNorm(hiddenSize, layerNormEps));
    this.expand = this.child('intermediate.dense', new Linear(hiddenSize, intermediateSize, options));
    this.contract = this.child('output.dense', new Linear(intermediateSize, hiddenSize, options));
    this.contractNorm = this.child('output.LayerNorm', new LayerNorm(hiddenSize, layerNormEps));
  }

  /**
   * @param x - [B, T, hidden] f32.
   * @param bias - [B, 1, T, T] f32, added to the attention scores.
   * @returns [B, T, hidden] f32.
   */
  forward(x: tf.Tensor3D, bias: tf.Tensor4D, context: ForwardContext): tf.Tensor3D {
    const { y } = context.block(this, { x, bias }, (inputs, mode) => {
      const p = this.config.hiddenDropoutProb;
      const mixed = this.attended.forward(this.attend(inputs.x, inputs.bias, mode)); // [B, T, hidden]
      const attended = this.attendedNorm.forward(tf.add(dropout(mixed, p, mode), inputs.x));
      const mapped = this.contract.forward(activated(this.expand, this.config.hiddenAct, attended));
      return { y: this.contractNorm.forward(tf.add(dropout(mapped, p, mode), attended)) as tf.Tensor3D };
    });
    return y;
  }

  private attend(x: tf.Tensor3D, bias: tf.Tensor4D, mode: BlockMode): tf.Tensor3D {
    const { numAttentionHeads: heads, hiddenSize, attentionProbsDropoutProb } = this.config;
    const query = tf.mul(splitHeads(this.query.forward(x), heads), 1 / Math.sqrt(hiddenSize / heads)); // [B, heads, T, d]
    const key = splitHeads(this.key.forward(x), heads);
    const value = splitHeads(this.value.forward(x), heads);
    const scores = tf.add(tf.matMul(query, key, false, true), bias); // [B, heads, T, T]
    return mergeHeads(tf.matMul(dropout(tf.softmax(scores), attentionProbsDropoutProb, mode), value) as tf.Tensor4D);
  }
}
