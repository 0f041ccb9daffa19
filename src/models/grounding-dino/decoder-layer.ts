import { tf } from '../../backend/index.js';
import { type BlockMode, dropout, LayerNorm } from '../../nn/index.js';
import type { GroundingDinoConfig } from './config.js';
import { type DeformableAttentionInputs, MultiscaleDeformableAttention } from './deformable-attention.js';
import { FeedForwardLayer } from './feed-forward.js';
import { MultiheadAttention } from './multihead-attention.js';

export interface DecoderLayerInputs extends Omit<DeformableAttentionInputs, 'queries'> {
  /** [B, Q, d] f32. */
  readonly hidden: tf.Tensor;
  /** [B, Q, d] f32, encoded reference boxes. */
  readonly positions: tf.Tensor;
  /** [B, T, d] f32. */
  readonly text: tf.Tensor;
  /** [B, 1, 1, T] f32. */
  readonly textBias: tf.Tensor;
}

/** Queries attend to each other, to the prompt and to the image. */
export class DecoderLayer extends FeedForwardLayer {
  private readonly selfAttn: MultiheadAttention;
  private readonly selfAttnLayerNorm: LayerNorm;
  private readonly encoderAttnText: MultiheadAttention;
  private readonly encoderAttnTextLayerNorm: LayerNorm;
  private readonly encoderAttn: MultiscaleDeformableAttention;
  private readonly encoderAttnLayerNorm: LayerNorm;

  constructor(config: GroundingDinoConfig) {
    super(config, config.decoderFfnDim);
    const { dModel, decoderAttentionHeads: heads, decoderNPoints, layerNormEps } = config;
    const norm = () => new LayerNorm(dModel, layerNormEps);
    this.selfAttn = this.child('self_attn', new MultiheadAttention(config, heads));
    this.selfAttnLayerNorm = this.child('self_attn_layer_norm', norm());
    this.encoderAttnText = this.child('encoder_attn_text', new MultiheadAttention(config, heads));
    this.encoderAttnTextLayerNorm = this.child('encoder_attn_text_layer_norm', norm());
    this.encoderAttn = this.child('encoder_attn', new MultiscaleDeformableAttention(config, heads, decoderNPoints));
    this.encoderAttnLayerNorm = this.child('encoder_attn_layer_norm', norm());
  }

  /** @returns [B, Q, d] f32. */
  forward({ hidden, positions, text, textBias, ...image }: DecoderLayerInputs, mode: BlockMode): tf.Tensor {
    const drop = <T extends tf.Tensor>(x: T) => dropout(x, this.config.dropout, mode);
    const placed = tf.add(hidden, positions);
    const amongQueries = this.selfAttn.forward({ query: placed, key: placed, value: hidden }, mode); // [B, Q, d]
    const first = this.selfAttnLayerNorm.forward(tf.add(hidden, drop(amongQueries)));
    const toText = { query: tf.add(first, positions), key: text, value: text, bias: textBias };
    const second = this.encoderAttnTextLayerNorm.forward(tf.add(first, drop(this.encoderAttnText.forward(toText, mode))));
    const toImage = this.encoderAttn.forward({ queries: tf.add(second, positions), ...image }); // [B, Q, d]
    const third = this.encoderAttnLayerNorm.forward(tf.add(second, drop(toImage)));
    return this.finalLayerNorm.forward(this.feedForward(third, mode));
  }
}
