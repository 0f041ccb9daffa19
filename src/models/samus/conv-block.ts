import { tf } from '../../backend/index.js';
import { Conv2d, gelu, LayerNorm, TensorLayer } from '../../nn/index.js';

/** Epsilon of the norms; fixed in the reference. */
const EPS = 1e-6;

/** A 3x3 convolution that keeps the size of a map, a norm over its channels, and GELU. */
export class ConvBlock extends TensorLayer {
  private readonly conv: Conv2d;
  private readonly norm: LayerNorm;

  /** @param names - of convolution and norm in checkpoints. */
  constructor(inChannels: number, outChannels: number, names: readonly [conv: string, norm: string] = ['conv.0', 'conv.1']) {
    super();
    this.conv = this.child(names[0], new Conv2d(inChannels, outChannels, { kernelSize: 3, padding: 1, bias: false }));
    this.norm = this.child(names[1], new LayerNorm(outChannels, EPS));
  }

  /** [B, h, w, in] to [B, h, w, out]. */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    return gelu(this.norm.forward(this.conv.forward(x)));
  }
}

/** A {@link ConvBlock} of a map at half the resolution: the largest of each 2x2. */
export class HalvingBlock extends ConvBlock {
  constructor(inChannels: number, outChannels: number) {
    super(inChannels, outChannels, ['maxpool_conv.1', 'maxpool_conv.2']);
  }

  /** [B, 2h, 2w, in] to [B, h, w, out]. */
  override forward(x: tf.Tensor4D): tf.Tensor4D {
    return super.forward(tf.maxPool(x, 2, 2, 'valid'));
  }
}
