import type { tf } from '../backend/index.js';
import type { Gradients } from './checkpointed-tape.js';
import type { ForwardContext, TensorRecord } from './forward-context.js';

/** A forward pass whose gradient can be taken. */
export interface TrainingPass<O> {
  /** They belong to the pass. */
  readonly outputs: O;
  /**
   * Gradients of a scalar with respect to every trainable parameter that the outputs depend on.
   *
   * @param at - pairs of an output and the gradient of the scalar there, of the same shape. They stay the caller's.
   */
  backward(at: readonly (readonly [tf.Tensor, tf.Tensor])[]): Gradients;
  dispose(): void;
}

/** A function of a model's parameters and of named tensors. */
export interface PassFunction<O> {
  /** Tells apart functions that are not the same although their inputs have the same names and shapes. */
  readonly variant: string;
  /** All that it reads besides parameters. They stay the caller's. */
  readonly inputs: TensorRecord;
  readonly forward: (context: ForwardContext) => O;
}
