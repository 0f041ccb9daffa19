import { tf } from '../backend/index.js';
import { uniform, zeros } from './init.js';
import { Module } from './module.js';
import type { Parameter } from './parameter.js';
import type { ConfigDict, Serializable, SerializableClass, Shape } from './serializable.js';
import { TensorLayer } from './tensor-layer.js';

export interface DepthwiseConv2dOptions {
  readonly kernelSize: number;
  /** Zero padding on each side, in rows and columns. Default: half the kernel, which keeps the size if the kernel is odd. */
  readonly padding?: number;
  /** Default: true. */
  readonly bias?: boolean;
}

/** Convolution of each channel of NHWC maps by itself. */
export class DepthwiseConv2d extends TensorLayer {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;
  private readonly padding: number;

  constructor(channels: number, { kernelSize, padding = Math.floor(kernelSize / 2), bias = true }: DepthwiseConv2dOptions) {
    super();
    this.padding = padding;
    this.weight = this.parameter('weight', [kernelSize, kernelSize, channels, 1], {
      init: uniform(1 / kernelSize),
      layout: 'depthwise',
    });
    this.bias = bias ? this.parameter('bias', [channels], { init: zeros }) : undefined;
  }

  /**
   * @param x - [B, H, W, channels] f32.
   * @returns [B, H', W', channels] f32 with H' = H + 2 padding - kernel + 1.
   */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    return tf.tidy(() => {
      const y = this.convolve(x, this.weight.value as tf.Tensor4D);
      return this.bias === undefined ? y : tf.add(y, this.bias.value);
    });
  }

  private convolve(x: tf.Tensor4D, weight: tf.Tensor4D): tf.Tensor4D {
    const p = this.padding;
    if (weight.shape[0] === 2 * p + 1) return tf.depthwiseConv2d(x, weight, 1, 'same');
    // Padded beforehand: the native gradient does not support explicit padding.
    const padded = tf.pad(x, [
      [0, 0],
      [p, p],
      [p, p],
      [0, 0],
    ]);
    return tf.depthwiseConv2d(padded, weight, 1, 'valid');
  }

  override computeOutputShape(inputShape: Shape): Shape {
    const [b = null, h = null, w = null, c = null] = inputShape;
    const [kernelSize = 1] = this.weight.shape;
    const steps = (size: number | null) => size && size + 2 * this.padding - kernelSize + 1;
    return [b, steps(h), steps(w), c];
  }

  override getConfig(): ConfigDict {
    const [kernelSize = 1, , channels = 0] = this.weight.shape;
    return { ...super.getConfig(), channels, kernelSize, padding: this.padding, bias: this.bias !== undefined };
  }

  static override fromConfig<T extends Serializable>(_class: SerializableClass<T>, config: ConfigDict): T {
    const { channels, ...options } = config as unknown as { channels: number } & DepthwiseConv2dOptions;
    return Module.restored(new DepthwiseConv2d(channels, options), config);
  }
}
