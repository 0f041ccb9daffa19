import { tf } from '../../backend/index.js';
import {
  type Activation,
  activation,
  type BlockMode,
  dropout,
  LayerNorm,
  Linear,
  Module,
  xavierUniform,
} from '../../nn/index.js';
import type { GroundingDinoConfig } from './config.js';
import { MultiheadAttention } from './multihead-attention.js';

/** A transformer layer over the prompt: tokens attend to their own phrase. */
export class TextEnhancerLayer extends Module {
  private readonly selfAttn: MultiheadAttention;
  private readonly fc1: Linear;
  private readonly fc2: Linear;
  private readonly layerNormBefore: LayerNorm;
  private readonly layerNormAfter: LayerNorm;
  private readonly activation: Activation;
  private readonly dropoutRate: number;

  constructor(config: GroundingDinoConfig) {
    super();
    const { dModel, encoderFfnDim, encoderAttentionHeads, layerNormEps } = config;
    const hidden = Math.floor(encoderFfnDim / 2);
    this.activation = activation(config.activationFunction);
    this.dropoutRate = config.textEnhancerDropout;
    this.selfAttn = this.child('self_attn', new MultiheadAttention(config, Math.floor(encoderAttentionHeads / 2)));
    this.fc1 = this.child('fc1', new Linear(dModel, hidden, { weightInit: xavierUniform }));
    this.fc2 = this.child('fc2', new Linear(hidden, dModel, { weightInit: xavierUniform }));
    this.layerNormBefore = this.child('layer_norm_before', new LayerNorm(dModel, layerNormEps));
    this.layerNormAfter = this.child('layer_norm_after', new LayerNorm(dModel, layerNormEps));
  }

  /**
   * @param text - [B, T, d] f32.
   * @param positions - [B, T, d] f32, added to queries and keys.
   * @param bias - [B, 1, T, T] f32, added to the scores.
   * @returns [B, T, d] f32.
   */
  forward(text: tf.Tensor, positions: tf.Tensor, bias: tf.Tensor, mode: BlockMode): tf.Tensor {
    const drop = <T extends tf.Tensor>(x: T) => dropout(x, this.dropoutRate, mode);
    const placed = tf.add(text, positions);
    const attended = this.selfAttn.forward({ query: placed, key: placed, value: text, bias }, mode); // [B, T, d]
    const middle = this.layerNormBefore.forward(tf.add(text, drop(attended)));
    const hidden = drop(this.activation(this.fc1.forward(middle))); // [B, T, ffn / 2]
    return this.layerNormAfter.forward(tf.add(drop(this.fc2.forward(hidden)), middle));
  }
}
