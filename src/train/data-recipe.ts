import { type Dataset, SampleStore } from '../data/index.js';
import type { Logger } from '../util/index.js';
import type { DataConfig } from './data-config.js';
import { type DataParts, openData, openFolds } from './datasets.js';

/** How to open the parts of a run's data again, in another thread. Plain data. */
export interface DataRecipe {
  readonly data: DataConfig;
  readonly seed: number;
  /** Which of how many folds, from 0. Absent: the data's one division. */
  readonly fold?: { readonly index: number; readonly of: number };
}

/** Data, and how to open it again. */
export interface OpenedParts extends DataParts {
  /** Absent: samples are made in the training thread. */
  readonly recipe?: DataRecipe;
}

export interface OpenOptions {
  /** Default: 0, the data's one division. */
  readonly folds?: number;
  readonly logger?: Logger | undefined;
}

/** Opens the data of a run so that other threads can open it too: one division, or one for each of `folds` folds. */
export async function openRun(data: DataConfig, seed: number, { folds = 0, logger }: OpenOptions = {}): Promise<OpenedParts[]> {
  const store = new SampleStore();
  if (folds === 0) return [{ ...(await openData(data, seed, { logger, store })), recipe: { data, seed } }];
  const parts = await openFolds(data, folds, store);
  return parts.map((part, index) => ({ ...part, recipe: { data, seed, fold: { index, of: folds } } }));
}

/** Opens the part that a recipe's owner trains on. */
export async function openTrainPart({ data, seed, fold }: DataRecipe): Promise<Dataset> {
  const store = new SampleStore();
  if (fold === undefined) return (await openData(data, seed, { store })).train;
  const parts = (await openFolds(data, fold.of, store))[fold.index];
  if (parts === undefined) throw new RangeError(`there is no fold ${fold.index} of ${fold.of}`);
  return parts.train;
}
