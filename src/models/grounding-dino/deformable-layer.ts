import { tf } from '../../backend/index.js';
import { type BlockMode, dropout, LayerNorm } from '../../nn/index.js';
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

  /** @returns [B, S, d] f32. */
  forward({ vision, positions, ...rest }: DeformableLayerInputs, mode: BlockMode): tf.Tensor {
    const middle = tf.tidy(() => {
      const attended = this.selfAttn.forward({ queries: tf.add(vision, positions), memory: vision, ...rest });
      return this.selfAttnLayerNorm.forward(tf.add(vision, dropout(attended, this.config.dropout, mode)));
    }); // [B, S, d]
    return this.feedForward(middle, mode);
  }
}
