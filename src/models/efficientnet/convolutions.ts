import { tf } from '../../backend/index.js';
import {
  type ChannelMap,
  eachImage,
  type FrozenBatchNorm,
  linear,
  Module,
  type Parameter,
  type TorchLayout,
  uniform,
} from '../../nn/index.js';

/**
 * A convolution without bias, computed together with the norm after it: its scale is folded into the weights and its shift is the
 * bias. Padding is TensorFlow's `same`: to the right and below first.
 */
abstract class NormedConvolution extends Module {
  protected readonly weight: Parameter;

  /** @param fanIn - number of inputs of each output. */
  constructor(shape: readonly number[], layout: TorchLayout, fanIn: number) {
    super();
    this.weight = this.parameter('weight', shape, { init: uniform(1 / Math.sqrt(fanIn)), layout });
  }

  /** [B, H, W, in] f32 to [B, ceil(H / stride), ceil(W / stride), out] f32. */
  forward(x: tf.Tensor4D, norm: FrozenBatchNorm): tf.Tensor4D {
    return this.convolve(x, norm.channelMap());
  }

  /** The convolution, with its output channels mapped. */
  protected abstract convolve(x: tf.Tensor4D, map: ChannelMap): tf.Tensor4D;
}

/** A 1x1 convolution: a linear map of each cell. */
export class PointwiseConvolution extends NormedConvolution {
  constructor(inChannels: number, outChannels: number) {
    super([1, 1, inChannels, outChannels], 'conv2d', inChannels);
  }

  protected convolve(x: tf.Tensor4D, { scale, shift }: ChannelMap): tf.Tensor4D {
    const matrix = tf.reshape(this.weight.value, this.weight.shape.slice(2) as [number, number]); // [in, out]
    return linear(x, tf.transpose(tf.mul(matrix, scale)), shift) as tf.Tensor4D;
  }
}

/** A convolution of each channel by itself. */
export class DepthwiseConvolution extends NormedConvolution {
  private readonly stride: number;

  constructor(channels: number, kernelSize: number, stride: number) {
    super([kernelSize, kernelSize, channels, 1], 'depthwise', kernelSize * kernelSize);
    this.stride = stride;
  }

  protected convolve(x: tf.Tensor4D, { scale, shift }: ChannelMap): tf.Tensor4D {
    const weight = tf.mul(this.weight.value, tf.reshape(scale, [-1, 1])) as tf.Tensor4D;
    return tf.add(tf.depthwiseConv2d(x, weight, this.stride, 'same'), shift);
  }
}

/** A convolution over all channels. */
export class FullConvolution extends NormedConvolution {
  private readonly stride: number;

  constructor(inChannels: number, outChannels: number, kernelSize: number, stride: number) {
    super([kernelSize, kernelSize, inChannels, outChannels], 'conv2d', inChannels * kernelSize * kernelSize);
    this.stride = stride;
  }

  protected convolve(x: tf.Tensor4D, { scale, shift }: ChannelMap): tf.Tensor4D {
    const weight = tf.mul(this.weight.value, scale) as tf.Tensor4D;
    const y = eachImage(x, (images) => tf.conv2d(images, weight, this.stride, 'same'));
    return tf.add(y, shift);
  }
}
