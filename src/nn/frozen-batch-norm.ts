import { tf } from '../backend/index.js';
import { ones, zeros } from './init.js';
import { Module } from './module.js';
import type { Parameter } from './parameter.js';
import type { ConfigDict, Serializable, SerializableClass, Shape } from './serializable.js';
import { TensorLayer } from './tensor-layer.js';

/** Scale and shift of each channel, [C] f32 each. */
export interface ChannelMap {
  readonly scale: tf.Tensor1D;
  readonly shift: tf.Tensor1D;
}

/**
 * Batch norm with fixed statistics, scale and shift, as detectors use that train on few images at a time. Its four arrays are
 * buffers in checkpoints: never trained.
 */
export class FrozenBatchNorm extends TensorLayer {
  private readonly weight: Parameter;
  private readonly bias: Parameter;
  private readonly runningMean: Parameter;
  private readonly runningVar: Parameter;
  private readonly eps: number;

  /** @param eps - added to the variance. Default: 1e-5, torch's. */
  constructor(channels: number, eps = 1e-5) {
    super();
    this.eps = eps;
    this.weight = this.parameter('weight', [channels], { init: ones });
    this.bias = this.parameter('bias', [channels], { init: zeros });
    this.runningMean = this.parameter('running_mean', [channels], { init: zeros });
    this.runningVar = this.parameter('running_var', [channels], { init: ones });
    for (const buffer of [this.weight, this.bias, this.runningMean, this.runningVar]) buffer.trainable = false;
  }

  override setTrainable(): void {}

  /** The norm as one multiplication and one addition, to be folded into a convolution. */
  channelMap(): ChannelMap {
    const scale = tf.mul(this.weight.value, tf.rsqrt(tf.add(this.runningVar.value, this.eps))) as tf.Tensor1D;
    return { scale, shift: tf.sub(this.bias.value, tf.mul(this.runningMean.value, scale)) as tf.Tensor1D };
  }

  /** [..., channels] f32 to the same shape. */
  forward(x: tf.Tensor): tf.Tensor {
    return tf.tidy(() => {
      const { scale, shift } = this.channelMap();
      return tf.add(tf.mul(x, scale), shift);
    });
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return inputShape;
  }

  override getConfig(): ConfigDict {
    return { ...super.getConfig(), channels: this.weight.shape[0] ?? 0, eps: this.eps };
  }

  static override fromConfig<T extends Serializable>(_class: SerializableClass<T>, config: ConfigDict): T {
    const { channels, eps } = config as unknown as { channels: number; eps: number };
    return Module.restored(new FrozenBatchNorm(channels, eps), config);
  }
}
