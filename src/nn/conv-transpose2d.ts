import { tf } from '../backend/index.js';
import { uniform, zeros } from './init.js';
import { Module } from './module.js';
import type { Parameter } from './parameter.js';
import type { ConfigDict, Serializable, SerializableClass, Shape } from './serializable.js';
import { TensorLayer } from './tensor-layer.js';

/**
 * Transposed convolution over NHWC with kernel = stride (no overlap), used by mask decoders for upscaling; the checkpoint layout
 * is torch's [in, out, h, w].
 */
export class ConvTranspose2d extends TensorLayer {
  readonly weight: Parameter;
  readonly bias: Parameter;
  private readonly stride: number;
  private readonly outChannels: number;

  constructor(inChannels: number, outChannels: number, { stride }: { readonly stride: number }) {
    super();
    this.stride = stride;
    this.outChannels = outChannels;
    const bound = 1 / Math.sqrt(outChannels * stride * stride);
    this.weight = this.parameter('weight', [stride, stride, outChannels, inChannels], {
      init: uniform(bound),
      layout: 'convTranspose2d',
    });
    this.bias = this.parameter('bias', [outChannels], { init: zeros });
  }

  /**
   * @param x - [B, H, W, in] f32.
   * @returns [B, H * stride, W * stride, out] f32.
   */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    const [b, h, w] = x.shape;
    const shape: [number, number, number, number] = [b, h * this.stride, w * this.stride, this.outChannels];
    return tf.add(tf.conv2dTranspose(x, this.weight.value as tf.Tensor4D, shape, this.stride, 'valid'), this.bias.value);
  }

  override computeOutputShape(inputShape: Shape): Shape {
    const [b = null, h = null, w = null] = inputShape;
    return [b, h && h * this.stride, w && w * this.stride, this.outChannels];
  }

  override getConfig(): ConfigDict {
    return { ...super.getConfig(), inChannels: this.weight.shape[3] ?? 0, outChannels: this.outChannels, stride: this.stride };
  }

  static override fromConfig<T extends Serializable>(_class: SerializableClass<T>, config: ConfigDict): T {
    const { inChannels, outChannels, stride } = config as unknown as { inChannels: number; outChannels: number; stride: number };
    return Module.restored(new ConvTranspose2d(inChannels, outChannels, { stride }), config);
  }
}
