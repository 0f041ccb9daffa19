import { tf } from '../../backend/index.js';
import { type Initialiser, Module, type Parameter, zeros } from '../../nn/index.js';
import { sizeOf } from '../../util/index.js';

/** Slope of the activation below zero, torch's default. */
const SLOPE = 0.01;

/** Gain of the initialisation for a layer that the activation follows; 1 without one. */
const GAIN = Math.sqrt(2 / (1 + SLOPE ** 2));

/** LeakyReLU. */
export function leakyRelu<T extends tf.Tensor>(x: T): T {
  return tf.leakyRelu(x, SLOPE) as T;
}

/** Weights of a convolution of odd kernel size over NHWC maps that keeps their size. */
export class SameConv2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;

  /** @param gain - of Kaiming's normal initialisation. */
  constructor(inChannels: number, outChannels: number, { kernelSize = 3, gain = GAIN } = {}) {
    super();
    this.weight = this.parameter('weight', [kernelSize, kernelSize, inChannels, outChannels], {
      init: kaimingNormal(gain),
      layout: 'conv2d',
    });
    this.bias = this.parameter('bias', [outChannels], { init: zeros });
  }

  /**
   * The convolution without its bias, over all input channels or those of `part`: a convolution over concatenated channels is the
   * sum of the convolutions over its parts.
   *
   * @param x - [B, H, W, channels of the part] f32.
   * @param part - the first input channel and their number. Default: all.
   * @returns [B, H, W, out] f32.
   */
  product(x: tf.Tensor4D, part?: readonly [first: number, count: number]): tf.Tensor4D {
    const weight = this.weight.value as tf.Tensor4D;
    const [kh, kw, , out] = weight.shape;
    const own = part === undefined ? weight : tf.slice(weight, [0, 0, part[0], 0], [kh, kw, part[1], out]);
    // Padding by the operation itself: a padded copy of the maps would take as long as they do to write.
    return tf.conv2d(x, own, 1, 'same');
  }

  /** The convolution with its bias. */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    return tf.add(this.product(x), this.bias.value);
  }
}

/** Kaiming's normal initialisation of weights [h, w, in, out], by the number of inputs. */
function kaimingNormal(gain: number): Initialiser {
  return (shape, rng) => {
    const [h = 1, w = 1, inChannels = 1] = shape;
    const std = gain / Math.sqrt(h * w * inChannels);
    return Float32Array.from({ length: sizeOf(shape) }, () => rng.normal(0, std));
  };
}
