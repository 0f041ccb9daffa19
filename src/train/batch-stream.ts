import type { BatchLoader, Sample } from '../data/index.js';

/** A place in the batches of an epoch. */
export interface Cursor {
  /** Passes over the data that the epoch has finished. */
  readonly pass: number;
  /** Batches taken of the current pass. */
  readonly batch: number;
}

/** Batches whose gradients make one update, and the place after them. */
export interface StepBatches {
  readonly batches: Sample[][];
  readonly next: Cursor;
}

/**
 * The batches of an epoch, without end, `accumulate` at a time. An epoch may be shorter or longer than a pass over the data; passes
 * are numbered on their own. No step reaches over the end of a pass: the last one takes what is left.
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
