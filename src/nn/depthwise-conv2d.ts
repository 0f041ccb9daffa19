import { tf } from '../backend/index.js';
import { uniform, zeros } from './init.js';
import { Module } from './module.js';
import type { Parameter } from './parameter.js';
import type { ConfigDict, Serializable, SerializableClass, Shape } from './serializable.js';
import { TensorLayer } from './tensor-layer.js';

/** Convolution of each channel of NHWC maps by itself, with zero padding that keeps the size of an odd kernel's maps. */
export class DepthwiseConv2d extends TensorLayer {
  readonly weight: Parameter;
  readonly bias: Parameter;
  private readonly padding: number;

  /** @param padding - on each side, in rows and columns. Default: half the kernel, which keeps the size. */
  constructor(channels: number, kernelSize: number, padding = Math.floor(kernelSize / 2)) {
    super();
    this.padding = padding;
    this.weight = this.parameter('weight', [kernelSize, kernelSize, channels, 1], {
      init: uniform(1 / kernelSize),
      layout: 'depthwise',
    });
    this.bias = this.parameter('bias', [channels], { init: zeros });
  }

  /**
   * @param x - [B, H, W, channels] f32.
   * @returns [B, H', W', channels] f32 with H' = H + 2 padding - kernel + 1.
   */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    const p = this.padding;
    return tf.tidy(() => {
      // Padded beforehand: the native gradient does not support explicit padding.
      const padded = tf.pad(x, [
        [0, 0],
        [p, p],
        [p, p],
        [0, 0],
      ]);
      return tf.add(tf.depthwiseConv2d(padded, this.weight.value as tf.Tensor4D, 1, 'valid'), this.bias.value);
    });
  }

  override computeOutputShape(inputShape: Shape): Shape {
    const [b = null, h = null, w = null, c = null] = inputShape;
    const [kernelSize = 1] = this.weight.shape;
    const steps = (size: number | null) => size && size + 2 * this.padding - kernelSize + 1;
    return [b, steps(h), steps(w), c];
  }

  override getConfig(): ConfigDict {
    const [kernelSize = 1, , channels = 0] = this.weight.shape;
    return { ...super.getConfig(), channels, kernelSize, padding: this.padding };
  }

  static override fromConfig<T extends Serializable>(_class: SerializableClass<T>, config: ConfigDict): T {
    const { channels, kernelSize, padding } = config as unknown as { channels: number; kernelSize: number; padding: number };
    return Module.restored(new DepthwiseConv2d(channels, kernelSize, padding), config);
  }
}
