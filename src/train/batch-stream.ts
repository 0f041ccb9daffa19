import type { BatchLoader, Sample } from '../data/index.js';

/** A position within the batches of an epoch. */
export interface Cursor {
  /** Completed passes over the data. */
  readonly pass: number;
  /** Batches taken from the current pass. */
  readonly batch: number;
}

/** Batches whose gradients make one update, and the position after them. */
export interface StepBatches {
  readonly batches: Sample[][];
  readonly next: Cursor;
}

/**
 * Endless stream of the batches of an epoch, `accumulate` per step. An epoch may be shorter or longer than a pass over the data;
 * passes are numbered separately. A step never crosses the end of a pass: the last one takes the remaining batches.
 */
export async function* stepsOf(
  loader: BatchLoader,
  epoch: number,
  from: Cursor,
  accumulate: number,
): AsyncGenerator<StepBatches> {
  for (let { pass, batch } = from; ; pass++, batch = 0) {
    let batches: Sample[][] = [];
    for await (const samples of loader.epoch(epoch * 1000 + pass, batch)) {
      batches.push(samples);
      batch += 1;
      if (batches.length < accumulate && batch < loader.batchesPerEpoch) continue;
      yield { batches, next: { pass, batch } };
      batches = [];
    }
  }
}
