import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dataset } from '../../data/index.js';
import type { LoadOptions } from '../../infer/index.js';
import { openData, openFolds, type RunConfig } from '../../train/index.js';
import { modelsOf, startOf } from '../models-of-run.js';

/** A part of a dataset. */
export type SplitName = 'train' | 'val' | 'test';

/** A part of a run's data, and the models that may be judged on it. */
export interface RunPart {
  readonly data: Readonly<Record<SplitName, Dataset>>;
  readonly models: LoadOptions;
  /** Whether the models were trained: by the run, or as the adapters that it names. */
  readonly trained: boolean;
  /** Where the training of these models left its files. */
  readonly dir: string;
}

/**
 * The data of a run with its best models; after a cross-validation, each fold with the models that have not seen it. A run that
 * was not trained stands for the models that it would start from.
 *
 * @param adapter - an adapter to judge instead, on the run's detector.
 */
export async function openRunParts(config: RunConfig, adapter?: string): Promise<RunPart[]> {
  const { dir } = config.run;
  const { folds } = config.eval;
  const start = startOf(config);
  if (adapter !== undefined) {
    const data = await openData(config.data, config.run.seed);
    return [{ data, models: { ...start, adapter }, trained: true, dir }];
  }
  if (folds > 0 && (await exists(join(dir, 'fold-1', 'best')))) {
    const parts = await openFolds(config.data, folds);
    return Promise.all(parts.map((data, k) => partOf(config, data, join(dir, `fold-${k + 1}`), start)));
  }
  return [await partOf(config, await openData(config.data, config.run.seed), dir, start)];
}

async function partOf(config: RunConfig, data: RunPart['data'], dir: string, start: LoadOptions): Promise<RunPart> {
  const best = join(dir, 'best');
  const own = await exists(best);
  const adapted = start.adapter !== undefined || start.maskerAdapter !== undefined;
  return { data, dir, trained: own || adapted, models: own ? modelsOf(config, best) : start };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
