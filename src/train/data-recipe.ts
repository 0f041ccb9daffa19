import { type Dataset, SampleStore } from '../data/index.js';
import type { Logger } from '../util/index.js';
import type { DataConfig } from './data-config.js';
import { type DataSplits, openData, openFolds } from './datasets.js';

/** Describes how another thread can reopen the splits of a run. Plain, serialisable data. */
export interface DataRecipe {
  readonly data: DataConfig;
  readonly seed: number;
  /** Zero-based fold index and number of folds. Absent: the data's single split. */
  readonly fold?: { readonly index: number; readonly of: number };
}

/** Opened data with the recipe to reopen it. */
export interface OpenedSplits extends DataSplits {
  /** Absent: samples are created in the training thread. */
  readonly recipe?: DataRecipe;
}

export interface OpenOptions {
  /** Default: 0, a single split. */
  readonly folds?: number;
  readonly logger?: Logger | undefined;
}

/** Opens the data of a run so that other threads can open it too: a single split, or one for each of `folds` folds. */
export async function openRun(data: DataConfig, seed: number, { folds = 0, logger }: OpenOptions = {}): Promise<OpenedSplits[]> {
  const store = new SampleStore();
  if (folds === 0) return [{ ...(await openData(data, seed, { logger, store })), recipe: { data, seed } }];
  const splits = await openFolds(data, folds, store);
  return splits.map((split, index) => ({ ...split, recipe: { data, seed, fold: { index, of: folds } } }));
}

/** Opens the training split of a recipe. */
export async function openTrainSplit({ data, seed, fold }: DataRecipe): Promise<Dataset> {
  const store = new SampleStore();
  if (fold === undefined) return (await openData(data, seed, { store })).train;
  const splits = (await openFolds(data, fold.of, store))[fold.index];
  if (splits === undefined) throw new RangeError(`there is no fold ${fold.index} of ${fold.of}`);
  return splits.train;
}
