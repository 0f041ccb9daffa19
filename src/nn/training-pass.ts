import type { tf } from '../backend/index.js';
import type { Gradients } from './checkpointed-tape.js';
import type { ForwardContext, TensorRecord } from './forward-context.js';

/** A differentiable forward pass. */
export interface TrainingPass<O> {
  /** Owned by the pass. */
  readonly outputs: O;
  /** Whether an output depends on a trainable parameter, so that {@link backward} takes it. */
  depends(output: tf.Tensor): boolean;
  /**
   * Gradients of a scalar with respect to every trainable parameter that the outputs depend on.
   *
   * @param at - pairs of an output and the gradient of the scalar with respect to it, of the same shape. They stay the caller's.
   */
  backward(at: readonly (readonly [tf.Tensor, tf.Tensor])[]): Gradients;
  dispose(): void;
}

/** A function of a model's parameters and of named tensors. */
export interface PassFunction<O> {
  /** Distinguishes different functions whose inputs have the same names and shapes. */
  readonly variant: string;
  /** Everything it reads besides parameters. They stay the caller's. */
  readonly inputs: TensorRecord;
  readonly forward: (context: ForwardContext) => O;
}
