import type { tf } from '../../backend/index.js';
import { Conv2d, LayerNorm, TensorLayer } from '../../nn/index.js';
import type { VitConfig } from './config.js';

/** Epsilon of the norms; fixed in the reference. */
const EPS = 1e-6;

/** Two convolutions, each with a norm, that project features to the decoder's channels. */
export class Neck extends TensorLayer {
  private readonly conv1: Conv2d;
  private readonly norm1: LayerNorm;
  private readonly conv2: Conv2d;
  private readonly norm2: LayerNorm;

  constructor({ hiddenSize, outputChannels }: VitConfig) {
    super();
    this.conv1 = this.child('conv1', new Conv2d(hiddenSize, outputChannels, { kernelSize: 1, bias: false }));
    this.norm1 = this.child('layer_norm1', new LayerNorm(outputChannels, EPS));
    this.conv2 = this.child('conv2', new Conv2d(outputChannels, outputChannels, { kernelSize: 3, padding: 1, bias: false }));
    this.norm2 = this.child('layer_norm2', new LayerNorm(outputChannels, EPS));
  }

  /** [B, h, w, C] to [B, h, w, output channels]. */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    return this.norm2.forward(this.conv2.forward(this.norm1.forward(this.conv1.forward(x))));
  }
}
