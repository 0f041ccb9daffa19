import { tf } from '../backend/index.js';
import { uniform, zeros } from './init.js';
import { linear, packedLinear } from './linear.js';
import { Module } from './module.js';
import type { Parameter } from './parameter.js';
import type { ConfigDict, Serializable, SerializableClass, Shape } from './serializable.js';
import { TensorLayer } from './tensor-layer.js';

export interface Conv2dOptions {
  readonly kernelSize: number;
  /** Default: 1. */
  readonly stride?: number;
  /** Zero padding on each side, in rows and columns. Default: 0. */
  readonly padding?: number;
  /** Default: true. */
  readonly bias?: boolean;
}

/** Convolution over NHWC; the checkpoint layout is torch's [out, in, h, w]. */
export class Conv2d extends TensorLayer {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;
  private readonly stride: number;
  private readonly padding: number;

  constructor(inChannels: number, outChannels: number, { kernelSize, stride = 1, padding = 0, bias = true }: Conv2dOptions) {
    super();
    this.stride = stride;
    this.padding = padding;
    const bound = 1 / Math.sqrt(inChannels * kernelSize * kernelSize);
    this.weight = this.parameter('weight', [kernelSize, kernelSize, inChannels, outChannels], {
      init: uniform(bound),
      layout: 'conv2d',
    });
    this.bias = bias ? this.parameter('bias', [outChannels], { init: zeros }) : undefined;
  }

  /**
   * @param x - [B, H, W, in] f32.
   * @returns [B, H', W', out] f32 with H' = floor((H + 2 padding - kernel) / stride) + 1.
   */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    const p = this.padding;
    const [, , inChannels, outChannels] = this.weight.shape as [number, number, number, number];
    const { packed } = this.weight;
    if (packed !== undefined) return packedLinear(x, packed, [outChannels, inChannels], this.bias?.value) as tf.Tensor4D;
    if (this.isLinear) return tf.tidy(() => linear(x, this.asLinear(this.weight.value), this.bias?.value) as tf.Tensor4D);
    // Padded beforehand: the native gradient does not support explicit padding.
    const padded =
      p === 0
        ? x
        : tf.pad(x, [
            [0, 0],
            [p, p],
            [p, p],
            [0, 0],
          ]);
    const y = tf.conv2d(padded, this.weight.value as tf.Tensor4D, this.stride, 'valid');
    return this.bias === undefined ? y : tf.add(y, this.bias.value);
  }

  /** A 1x1 convolution is a linear map, computed in one operation with its bias. */
  get isLinear(): boolean {
    const [h, w] = this.weight.shape;
    return h === 1 && w === 1 && this.padding === 0 && this.stride === 1;
  }

  /** The weight of the linear map, [out, in]. */
  asLinear(weight: tf.Tensor): tf.Tensor2D {
    return tf.transpose(tf.reshape(weight, this.weight.shape.slice(2) as [number, number]));
  }

  override computeOutputShape(inputShape: Shape): Shape {
    const [b = null, h = null, w = null] = inputShape;
    const [kernelSize = 1, , , outChannels = null] = this.weight.shape;
    const steps = (size: number | null) => size && Math.floor((size + 2 * this.padding - kernelSize) / this.stride) + 1;
    return [b, steps(h), steps(w), outChannels];
  }

  override getConfig(): ConfigDict {
    return {
      ...super.getConfig(),
      inChannels: this.weight.shape[2] ?? 0,
      outChannels: this.weight.shape[3] ?? 0,
      kernelSize: this.weight.shape[0] ?? 1,
      stride: this.stride,
      padding: this.padding,
      bias: this.bias !== undefined,
    };
  }

  static override fromConfig<T extends Serializable>(_class: SerializableClass<T>, config: ConfigDict): T {
    const { inChannels, outChannels, kernelSize, stride, padding, bias } = config as unknown as {
      inChannels: number;
      outChannels: number;
      kernelSize: number;
      stride: number;
      padding: number;
      bias: boolean;
    };
    return Module.restored(new Conv2d(inChannels, outChannels, { kernelSize, stride, padding, bias }), config);
  }
}
