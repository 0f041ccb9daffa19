import { tf } from '../../backend/index.js';
import { dropout, type ForwardContext, LayerNorm, type TensorRecord } from '../../nn/index.js';
import type { GroundingDinoConfig } from './config.js';
import { type DeformableAttentionInputs, MultiscaleDeformableAttention } from './deformable-attention.js';
import { FeedForwardLayer } from './feed-forward.js';

export interface DeformableLayerInputs extends Omit<DeformableAttentionInputs, 'queries' | 'memory'> {
  /** [B, S, d] f32. */
  readonly vision: tf.Tensor;
  /** [B or 1, S, d] f32. */
  readonly positions: tf.Tensor;
}

/** A transformer layer over all cells of all levels, with deformable self-attention. */
export class DeformableLayer extends FeedForwardLayer {
  private readonly selfAttn: MultiscaleDeformableAttention;
  private readonly selfAttnLayerNorm: LayerNorm;

  constructor(config: GroundingDinoConfig) {
    super(config, config.encoderFfnDim);
    const attention = new MultiscaleDeformableAttention(config, config.encoderAttentionHeads, config.encoderNPoints);
    this.selfAttn = this.child('self_attn', attention);
    this.selfAttnLayerNorm = this.child('self_attn_layer_norm', new LayerNorm(config.dModel, config.layerNormEps));
  }

  /**
   * The attention, the MLP, whose intermediates are several times as wide, and the last norm are blocks of their own, each of which
   * ends in a linear map: a recorded backward pass computes none of these again, as no gradient needs the block's output.
   * Returns [B, S, d] f32.
   */
  forward({ spatialShapes, ...inputs }: DeformableLayerInputs, context: ForwardContext): tf.Tensor {
    const { attended: sum } = context.block(this.selfAttn, inputs as typeof inputs & TensorRecord, (x, mode) => {
      const { vision, positions, ...rest } = x;
      const queries = tf.add(vision, positions);
      const attended = this.selfAttn.forward({ queries, memory: vision, spatialShapes, ...rest });
      return { attended: tf.add(vision, dropout(attended, this.config.dropout, mode)) };
    });
    const { fed } = context.block([...this.feedForwardModules, this.selfAttnLayerNorm], { sum }, (x, mode) => ({
      fed: this.feedForward(this.selfAttnLayerNorm.forward(x.sum), mode),
    }));
    return context.block(this.finalLayerNorm, { fed }, (x) => ({ vision: this.finalLayerNorm.forward(x.fed) })).vision;
  }
}
