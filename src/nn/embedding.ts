import { tf } from '../backend/index.js';
import { normal } from './init.js';
import { Module } from './module.js';
import type { Parameter } from './parameter.js';
import type { ConfigDict, Serializable, SerializableClass, Shape } from './serializable.js';
import { TensorLayer } from './tensor-layer.js';

/** A lookup table of learned vectors, [count, features]. */
export class Embedding extends TensorLayer {
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

  override computeOutputShape(inputShape: Shape): Shape {
    return [...inputShape, this.weight.shape[1] ?? null];
  }

  override getConfig(): ConfigDict {
    return { ...super.getConfig(), count: this.weight.shape[0] ?? 0, features: this.weight.shape[1] ?? 0 };
  }

  static override fromConfig<T extends Serializable>(_class: SerializableClass<T>, config: ConfigDict): T {
    const { count, features } = config as unknown as { count: number; features: number };
    return Module.restored(new Embedding(count, features), config);
  }
}
