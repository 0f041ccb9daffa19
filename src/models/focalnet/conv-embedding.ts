import type { tf } from '../../backend/index.js';
import { Conv2d, type ForwardContext, LayerNorm, TensorLayer } from '../../nn/index.js';

/** Of a convolution that shrinks a map. */
interface ShrinkingSizes {
  readonly kernelSize: number;
  readonly stride: number;
  readonly padding: number;
}

/** Overlapping patches, by which the image enters and each stage halves its map: a convolution, and a norm over the channels. */
export class ConvEmbedding extends TensorLayer {
  private readonly proj: Conv2d;
  private readonly norm: LayerNorm;

  constructor(inChannels: number, outChannels: number, sizes: ShrinkingSizes) {
    super();
    this.proj = this.child('proj', new Conv2d(inChannels, outChannels, sizes));
    this.norm = this.child('norm', new LayerNorm(outChannels));
  }

  /** [B, H, W, in] to [B, H / stride, W / stride, out]. */
  forward(x: tf.Tensor4D, context: ForwardContext): tf.Tensor4D {
    return context.block(this, { x }, (inputs) => ({ y: this.norm.forward(this.proj.forward(inputs.x)) })).y;
  }
}
