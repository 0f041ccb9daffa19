import { join } from 'node:path';
import { exists } from '../../config/index.js';
import type { Dataset, Split } from '../../data/index.js';
import type { LoadOptions } from '../../infer/index.js';
import { trainingDataOf } from '../../pretrained/index.js';
import { openData, openFolds, type RunConfig } from '../../train/index.js';
import { selectStartingModels, selectTrainedModels } from '../models-of-run.js';

/** A run's data, or one division of a cross-validation's, and the models that may be judged on it. */
export interface RunFold {
  readonly data: Readonly<Record<Split, Dataset>>;
  readonly models: LoadOptions;
  /** Whether the models were fine-tuned: by the run, or as the adapters that it names. */
  readonly trained: boolean;
  /** Datasets whose training split the models saw, as far as known: the run's own, and those of shipped models. */
  readonly trainedOn: readonly string[];
  /** The folder of these models' training run. */
  readonly dir: string;
}

/**
 * The data of a run with its best models; after a cross-validation, each fold with the models that have not seen it. An untrained
 * run yields its initial models.
 *
 * @param adapter - an adapter to evaluate instead, on the run's detector.
 * @param precision - in which the models run. Default: `float32`.
 */
export async function openRunFolds(
  config: RunConfig,
  { adapter, precision }: Pick<LoadOptions, 'adapter' | 'precision'> = {},
): Promise<RunFold[]> {
  const folds = await foldsOf(config, adapter);
  return precision === undefined ? folds : folds.map((fold) => ({ ...fold, models: { ...fold.models, precision } }));
}

async function foldsOf(config: RunConfig, adapter: string | undefined): Promise<RunFold[]> {
  const { dir } = config.run;
  const { folds } = config.eval;
  const start = selectStartingModels(config);
  if (adapter !== undefined) {
    const data = await openData(config.data, config.run.seed);
    return [{ data, models: { ...start, adapter }, trained: true, trainedOn: dataOf(start), dir }];
  }
  if (folds > 0 && (await exists(join(dir, 'fold-1', 'best')))) {
    const divisions = await openFolds(config.data, folds);
    return Promise.all(divisions.map((data, k) => foldOf(config, data, join(dir, `fold-${k + 1}`), start)));
  }
  return [await foldOf(config, await openData(config.data, config.run.seed), dir, start)];
}

async function foldOf(config: RunConfig, data: RunFold['data'], dir: string, start: LoadOptions): Promise<RunFold> {
  const best = join(dir, 'best');
  const own = await exists(best);
  const adapted = start.adapter !== undefined || start.maskerAdapter !== undefined;
  const trainedOn = [...dataOf(start), ...(own ? namesOf(data.train) : [])];
  return { data, dir, trained: own || adapted, trainedOn, models: own ? selectTrainedModels(config, best) : start };
}

function dataOf({ detector, masker }: LoadOptions): string[] {
  return [detector, masker].flatMap((model) => (model === undefined ? [] : trainingDataOf(model)));
}

function namesOf(dataset: Dataset): string[] {
  if (dataset.size === 0) return [];
  return dataset.parts === undefined ? [dataset.name] : dataset.parts.flatMap(namesOf);
}
