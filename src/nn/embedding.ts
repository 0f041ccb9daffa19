import { tf } from '../backend/index.js';
import { normal } from './init.js';
import { Module } from './module.js';
import type { Parameter } from './parameter.js';

/** A lookup table of learned vectors, [count, features]. */
export class Embedding extends Module {
  readonly weight: Parameter;

  constructor(count: number, features: number, std = 0.02) {
    super();
    this.weight = this.parameter('weight', [count, features], { init: normal(std) });
  }

  /**
   * @param ids - [...] i32 in [0, count).
   * @returns [..., features] f32.
   */
  forward(ids: tf.Tensor): tf.Tensor {
    return tf.gather(this.weight.value, ids as tf.Tensor1D);
  }
}
