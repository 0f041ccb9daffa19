import type { tf } from '../backend/index.js';
import { type ForwardContext, inference } from './forward-context.js';
import { Module } from './module.js';

/**
 * A module that maps one tensor to another, or to a list of them, and so works wherever a `tf.layers.Layer` does: `apply` of a
 * tensor evaluates it, without dropout.
 * For example `new LayerNorm(8).apply(x)`.
 */
export abstract class TensorLayer extends Module {
  /** Computes the result, which is the caller's. Layers that consist of no blocks take no context. */
  abstract forward(x: tf.Tensor, context: ForwardContext): tf.Tensor | tf.Tensor[];

  /** @throws Error for several tensors. */
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor | tf.Tensor[] {
    const [x, ...more] = Array.isArray(inputs) ? inputs : [inputs];
    if (x === undefined || more.length > 0)
      throw new Error(`${this.name}: expected one tensor, got ${Array.isArray(inputs) ? inputs.length : 1}`);
    return this.forward(x, inference);
  }
}
