import type { Sample } from '../data/index.js';
import type { Gradients, Module } from '../nn/index.js';
import type { Rng } from '../util/index.js';

/** A loss and what it is made of. */
export interface LossReport {
  readonly total: number;
  /** Unweighted parts by name. */
  readonly terms: Readonly<Record<string, number>>;
}

export interface TrainStep extends LossReport {
  /** By parameter; the tensors belong to the caller. */
  readonly gradients: Gradients;
}

/** What the trainer trains: a model with a loss over samples. It knows nothing of optimisers, epochs or files. */
export interface TrainTask {
  readonly model: Module;
  /** Forward and backward over one batch. `rng` feeds dropout, drop-path and sampling of prompts. */
  step(samples: readonly Sample[], rng: Rng): Promise<TrainStep>;
  /**
   * What the loss of a batch is divided by, before it is kept from being 0. Accumulated gradients are weighed by it, so that
   * they equal those of the larger batch. Absent: the number of images.
   */
  normaliser?(samples: readonly Sample[]): number;
  /** The loss alone, without randomness. */
  loss(samples: readonly Sample[]): Promise<LossReport>;
  /** Writes the current weights as what inference loads: a model directory, or an adapter. */
  save(dir: string): Promise<void>;
  /** Frees the model and whatever the task holds beside it. */
  dispose(): void;
}
