import { tf } from '../backend/index.js';
import { ones, zeros } from './init.js';
import { Module } from './module.js';
import type { Parameter } from './parameter.js';

/** Normalises each group of neighbouring channels over the whole map, then scales and shifts each channel. */
export class GroupNorm extends Module {
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
    const grouped = x.reshape([b, h * w, this.groups, c / this.groups]);
    const { mean, variance } = tf.moments(grouped, [1, 3], true); // [B, 1, G, 1]
    const normalised = tf.mul(tf.sub(grouped, mean), tf.rsqrt(tf.add(variance, this.eps)));
    return tf.add(tf.mul(normalised.reshape([b, h, w, c]), this.weight.value), this.bias.value) as tf.Tensor4D;
  }
}
