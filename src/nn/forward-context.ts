import { tf } from '../backend/index.js';
import { Draws, PassSeed } from './draws.js';
import type { Module } from './module.js';
import type { Parameter } from './parameter.js';

/** A module or single parameter that a block uses. */
export type Owner = Module | Parameter;

/** Named inputs or outputs of a block. `undefined` stands for an absent optional input. */
export type TensorRecord = Record<string, tf.Tensor | undefined>;

/** Arguments of a block's function besides its inputs. */
export interface BlockMode {
  readonly training: boolean;
  /** Random numbers of dropout and drop-path. The same again when a block is recomputed for its gradient. */
  readonly draws: Draws;
}

/**
 * A module that behaves differently in training without the surrounding layers knowing: an adapter with dropout. Notified when a
 * block that uses it begins (`mode`) and ends (`undefined`).
 */
export interface BlockObserver {
  enterBlock(mode: BlockMode | undefined): void;
}

/**
 * Runs a model block by block. A block is a part of the forward pass that training recomputes as a whole for its gradient, so
 * that none of its intermediates are kept (gradient checkpointing).
 *
 * Rule for models: all differentiable arithmetic happens inside blocks, and the outputs of one block enter the next unchanged.
 * Between blocks, only constants are created (masks, positions, indices). Use {@link ForwardContext.detach} to stop gradients.
 */
export interface ForwardContext {
  readonly training: boolean;
  /**
   * Runs a block.
   *
   * @param owners - the modules and single parameters that the function uses.
   * @param inputs - everything it reads besides parameters; integer and boolean tensors count as constants.
   * @param fn - pure: the same inputs and random draws give the same outputs. Must not dispose its inputs.
   */
  block<I extends TensorRecord, O extends TensorRecord>(
    owners: Owner | readonly Owner[],
    inputs: I,
    fn: (inputs: I, mode: BlockMode) => O,
  ): O;
  /** The same values, detached from the gradient. */
  detach<T extends tf.Tensor>(x: T): T;
}

/** Not drawn from outside of training. */
const NONE = new Draws(new PassSeed(0));

/** Plain inference: each block is a `tf.tidy`, nothing is recorded. */
export const inference: ForwardContext = {
  training: false,
  block(_owners, inputs, fn) {
    return tf.tidy(() => fn(inputs, { training: false, draws: NONE }));
  },
  detach: (x) => x.clone(),
};
