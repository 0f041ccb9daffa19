import { tf } from '../backend/index.js';
import { Rng } from '../util/index.js';
import type { Module } from './module.js';
import type { Parameter } from './parameter.js';

/** A module whose parameters a block uses, or one such parameter. */
export type Owner = Module | Parameter;

/** Named tensors that enter or leave a block. `undefined` stands for an optional input that is absent. */
export type TensorRecord = Record<string, tf.Tensor | undefined>;

/** What a block's function is told besides its inputs. */
export interface BlockMode {
  readonly training: boolean;
  /** Source of dropout and drop-path. The same draws come again when training repeats the block for its gradient. */
  readonly rng: Rng;
}

/**
 * A module that behaves differently in training although the layers around it do not know of it: an adapter with dropout.
 * It is told when a block that owns it begins (`mode`) and ends (`undefined`).
 */
export interface BlockObserver {
  enterBlock(mode: BlockMode | undefined): void;
}

/**
 * Runs a model block by block. A block is a piece of the forward pass that training repeats as a whole to take its
 * gradient, so that nothing inside it has to be kept.
 *
 * The rule for authors of models: all arithmetic that a gradient passes through happens inside blocks, and what leaves one
 * block enters the next untouched. Between blocks only constants are made (masks, positions, indices). A gradient is
 * stopped by {@link ForwardContext.detach}.
 */
export interface ForwardContext {
  readonly training: boolean;
  /**
   * Runs a block.
   *
   * @param owners - the modules and single parameters that the function uses.
   * @param inputs - everything it reads besides parameters; integer and boolean tensors count as constants.
   * @param fn - pure: the same inputs and draws give the same outputs. It may not dispose its inputs.
   */
  block<I extends TensorRecord, O extends TensorRecord>(
    owners: Owner | readonly Owner[],
    inputs: I,
    fn: (inputs: I, mode: BlockMode) => O,
  ): O;
  /** The same values, through which no gradient passes. */
  detach<T extends tf.Tensor>(x: T): T;
}

/** Plain evaluation: each block is a `tf.tidy`, nothing is recorded. */
export const inference: ForwardContext = {
  training: false,
  block(_owners, inputs, fn) {
    return tf.tidy(() => fn(inputs, { training: false, rng: Rng.seeded(0) }));
  },
  detach: (x) => x.clone(),
};
