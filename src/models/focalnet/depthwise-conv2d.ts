import { tf } from '../../backend/index.js';
import { type Parameter, TensorLayer, uniform } from '../../nn/index.js';

/** A convolution of each channel by itself, without bias, that keeps the size of a map. */
export class DepthwiseConv2d extends TensorLayer {
  private readonly weight: Parameter;

  /** @param kernelSize - odd. */
  constructor(channels: number, kernelSize: number) {
    super();
    this.weight = this.parameter('weight', [kernelSize, kernelSize, channels, 1], {
      init: uniform(1 / kernelSize),
      layout: 'depthwise',
    });
  }

  /** [B, H, W, C] to the same shape; zeros beyond the border. */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    return tf.depthwiseConv2d(x, this.weight.value as tf.Tensor4D, 1, 'same');
  }
}
