import { tf } from '../backend/index.js';
import { ones, zeros } from './init.js';
import { Module } from './module.js';
import type { Parameter } from './parameter.js';
import type { ConfigDict, Serializable, SerializableClass, Shape } from './serializable.js';
import { TensorLayer } from './tensor-layer.js';

/** Normalises each group of adjacent channels over the whole map, then scales and shifts each channel. */
export class GroupNorm extends TensorLayer {
  readonly weight: Parameter;
  readonly bias: Parameter;
  private readonly groups: number;
  private readonly eps: number;

  /**
   * @param eps - added to the variance. Default: 1e-5, torch's.
   * @throws RangeError when the groups do not divide the channels.
   */
  constructor(groups: number, channels: number, eps = 1e-5) {
    super();
    if (channels % groups !== 0) throw new RangeError(`GroupNorm: ${groups} groups do not divide ${channels} channels`);
    this.groups = groups;
    this.eps = eps;
    this.weight = this.parameter('weight', [channels], { init: ones });
    this.bias = this.parameter('bias', [channels], { init: zeros });
  }

  /**
   * @param x - [B, H, W, channels] f32.
   * @returns the same shape.
   */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    const [b, h, w, c] = x.shape;
    const size = c / this.groups;
    const cells = x.reshape([b, h * w, c]);
    /** The mean over cells and channels of each group, repeated for each of its channels: [B, 1, C]. */
    const ofGroups = (values: tf.Tensor) => {
      const means = tf.mean(tf.mean(values, 1).reshape([b, this.groups, size]), 2, true);
      return tf.tile(means, [1, 1, size]).reshape([b, 1, c]);
    };
    const centred = tf.sub(cells, ofGroups(cells));
    const scale = tf.mul(tf.rsqrt(tf.add(ofGroups(tf.square(centred)), this.eps)), this.weight.value);
    return tf.add(tf.mul(centred, scale), this.bias.value).reshape([b, h, w, c]);
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return inputShape;
  }

  override getConfig(): ConfigDict {
    return { ...super.getConfig(), groups: this.groups, channels: this.weight.shape[0] ?? 0, eps: this.eps };
  }

  static override fromConfig<T extends Serializable>(_class: SerializableClass<T>, config: ConfigDict): T {
    const { groups, channels, eps } = config as unknown as { groups: number; channels: number; eps: number };
    return Module.restored(new GroupNorm(groups, channels, eps), config);
  }
}
