import { tf } from '../../backend/index.js';
import { eachImage, type FrozenBatchNorm, linear, Module, type Parameter, uniform } from '../../nn/index.js';

/**
 * Convolutions without bias, each computed together with the norm after it: its scale is folded into the weights and its shift is
 * the bias. Padding is TensorFlow's `same`: to the right and below first.
 */
abstract class NormedConvolution extends Module {
  /** [B, H, W, in] f32 to [B, ceil(H / stride), ceil(W / stride), out] f32. */
  abstract forward(x: tf.Tensor4D, norm: FrozenBatchNorm): tf.Tensor4D;
}

/** A 1x1 convolution: a linear map of each cell. */
export class PointwiseConvolution extends NormedConvolution {
  private readonly weight: Parameter;

  constructor(inChannels: number, outChannels: number) {
    super();
    this.weight = this.parameter('weight', [1, 1, inChannels, outChannels], {
      init: uniform(1 / Math.sqrt(inChannels)),
      layout: 'conv2d',
    });
  }

  forward(x: tf.Tensor4D, norm: FrozenBatchNorm): tf.Tensor4D {
    const { scale, shift } = norm.channelMap();
    const [, , inChannels, outChannels] = this.weight.shape as [number, number, number, number];
    const weight = tf.mul(tf.reshape(this.weight.value, [inChannels, outChannels]), scale);
    return linear(x, tf.transpose(weight), shift) as tf.Tensor4D;
  }
}

/** A convolution of each channel by itself. */
export class DepthwiseConvolution extends NormedConvolution {
  private readonly weight: Parameter;
  private readonly stride: number;

  constructor(channels: number, kernelSize: number, stride: number) {
    super();
    this.stride = stride;
    this.weight = this.parameter('weight', [kernelSize, kernelSize, channels, 1], {
      init: uniform(1 / kernelSize),
      layout: 'depthwise',
    });
  }

  forward(x: tf.Tensor4D, norm: FrozenBatchNorm): tf.Tensor4D {
    const { scale, shift } = norm.channelMap();
    const weight = tf.mul(this.weight.value, tf.reshape(scale, [-1, 1])) as tf.Tensor4D;
    return tf.add(tf.depthwiseConv2d(x, weight, this.stride, 'same'), shift);
  }
}

/** A convolution over all channels. */
export class FullConvolution extends NormedConvolution {
  private readonly weight: Parameter;
  private readonly stride: number;

  constructor(inChannels: number, outChannels: number, kernelSize: number, stride: number) {
    super();
    this.stride = stride;
    this.weight = this.parameter('weight', [kernelSize, kernelSize, inChannels, outChannels], {
      init: uniform(1 / Math.sqrt(inChannels * kernelSize * kernelSize)),
      layout: 'conv2d',
    });
  }

  forward(x: tf.Tensor4D, norm: FrozenBatchNorm): tf.Tensor4D {
    const { scale, shift } = norm.channelMap();
    const weight = tf.mul(this.weight.value, scale) as tf.Tensor4D;
    return tf.add(
      eachImage(x, (images) => tf.conv2d(images, weight, this.stride, 'same')),
      shift,
    );
  }
}
