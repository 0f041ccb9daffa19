import { tf } from '../backend/index.js';
import { ones, zeros } from './init.js';
import { Module } from './module.js';
import type { Parameter } from './parameter.js';

/** Normalises the last axis to mean 0 and variance 1 (population), then scales and shifts. Serves NHWC maps as torch's channel-wise LayerNorm2d does NCHW ones. */
export class LayerNorm extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  private readonly eps: number;

  /** @param eps - added to the variance. Default: 1e-5, torch's. */
  constructor(features: number, eps = 1e-5) {
    super();
    this.eps = eps;
    this.weight = this.parameter('weight', [features], { init: ones });
    this.bias = this.parameter('bias', [features], { init: zeros });
  }

  /**
   * @param x - [..., features] f32.
   * @returns the same shape.
   */
  forward<T extends tf.Tensor>(x: T): T {
    const { mean, variance } = tf.moments(x, -1, true);
    const scale = tf.mul(tf.rsqrt(tf.add(variance, this.eps)), this.weight.value);
    return tf.add(tf.mul(tf.sub(x, mean), scale), this.bias.value);
  }
}
