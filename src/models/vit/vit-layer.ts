import { tf } from '../../backend/index.js';
import { type ForwardContext, LayerNorm, TensorLayer } from '../../nn/index.js';
import { padToMultiple } from '../../ops/index.js';
import { mapSizeOf, type VitConfig } from './config.js';
import { MlpBlock } from './mlp-block.js';
import { VitAttention } from './vit-attention.js';

/** Windowed or global attention, and an MLP. */
export class VitLayer extends TensorLayer {
  private readonly norm1: LayerNorm;
  private readonly attention: VitAttention;
  private readonly norm2: LayerNorm;
  private readonly mlp: MlpBlock;
  private readonly size: number;

  constructor(config: VitConfig, index: number) {
    super();
    const { hiddenSize, layerNormEps, mlpDim, hiddenAct, windowSize, globalAttnIndexes } = config;
    const whole = windowSize === 0 || globalAttnIndexes.includes(index);
    this.size = whole ? mapSizeOf(config) : windowSize;
    this.norm1 = this.child('layer_norm1', new LayerNorm(hiddenSize, layerNormEps));
    this.attention = this.child('attn', new VitAttention(config, this.size));
    this.norm2 = this.child('layer_norm2', new LayerNorm(hiddenSize, layerNormEps));
    this.mlp = this.child('mlp', new MlpBlock(hiddenSize, mlpDim, hiddenAct));
  }

  /**
   * @param x - [B, H, W, C] f32.
   * @returns the same shape.
   */
  forward(x: tf.Tensor4D, context: ForwardContext): tf.Tensor4D {
    return context.block(this, { x }, (inputs) => {
      const seen = tf.tidy(() => tf.add(inputs.x, this.attend(this.norm1.forward(inputs.x)))) as tf.Tensor4D; // [B, H, W, C]
      return { y: tf.tidy(() => this.mlp.forward(this.norm2.forward(seen), seen)) as tf.Tensor4D }; // [B, H, W, C]
    }).y;
  }

  /** Windows that extend beyond the map are zero-padded; the padding takes part like any token. */
  private attend(x: tf.Tensor4D): tf.Tensor4D {
    const [b, h, w, c] = x.shape;
    const attended = this.attention.forward(padToMultiple(x, this.size));
    return attended.shape[1] === h && attended.shape[2] === w ? attended : attended.slice([0, 0, 0, 0], [b, h, w, c]);
  }
}
