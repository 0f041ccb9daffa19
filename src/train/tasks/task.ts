import type { Sample } from '../../data/index.js';
import type { Gradients, Module } from '../../nn/index.js';
import type { Rng } from '../../util/index.js';

/** A loss and its terms. */
export interface LossReport {
  readonly total: number;
  /** Unweighted terms by name. */
  readonly terms: Readonly<Record<string, number>>;
}

export interface TrainStep extends LossReport {
  /** By parameter; the tensors belong to the caller. */
  readonly gradients: Gradients;
  /**
   * The divisor of the loss, before it is clamped to be positive: the number of objects, or of images that show any. Weights
   * accumulated gradients, so that they equal those of the larger batch.
   */
  readonly normaliser: number;
}

/** The trainer's view of a model: a loss over samples. Independent of optimisers, epochs and files. */
export interface TrainTask {
  readonly model: Module;
  /** Forward and backward pass over one batch. `rng` drives dropout, drop-path and prompt sampling. */
  step(samples: readonly Sample[], rng: Rng): Promise<TrainStep>;
  /** Computes only the loss, without randomness. */
  loss(samples: readonly Sample[]): Promise<LossReport>;
  /** Writes the current weights in the form that inference loads: a model directory, or an adapter. */
  save(dir: string): Promise<void>;
  /** Frees the model and all other resources of the task. */
  dispose(): void;
}
