import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Dataset } from '../data/index.js';
import { GroundedSegmenter, type LoadOptions } from '../infer/index.js';
import { openRun, type RunConfig, type RunOptions, runTraining, type TrainResult, withRunLock } from '../train/index.js';
import { writeFileAtomic } from '../util/index.js';
import { type EvaluateOptions, type Evaluation, evaluate } from './evaluate.js';
import { type Forgetting, forgettingLine, meanScore, openProbe, type ProbeScore, tryOut } from './forgetting.js';
import { type Summary, summarise } from './run-summary.js';

/** One fold of a cross-validation. Percentages. */
export interface FoldScore {
  readonly dsc: number;
  readonly iou: number;
  readonly images: number;
}

/** What `metrics.json` of a run holds. Percentages are taken on each image's own grid; missed images count as 0. */
export interface RunMetrics {
  readonly test: Summary;
  /** Present after a cross-validation: `test` is then over all images, each tested once. */
  readonly folds?: readonly FoldScore[];
  readonly training: readonly TrainResult[];
  /** How the model does on a fixed probe, before and after; absent where the run has none. */
  readonly forgetting?: Forgetting;
}

/** How an experiment is started and watched. */
export interface ExperimentOptions extends RunOptions {
  /** Called before each fold of a cross-validation. */
  readonly onFold?: (fold: number, of: number) => void;
}

/**
 * Trains, tests the best weights, and writes `metrics.json` and `rows.json` into the run folder.
 *
 * @example
 * import { initBackend, runConfigSchema, runExperiment } from 'sonoground';
 *
 * await initBackend();
 * const config = runConfigSchema.parse({
 *   run: { dir: 'runs/first' },
 *   data: { format: 'phantom', phantom: { train: 2, val: 1, test: 1 } },
 *   lora: { preset: 'paper', rank: 4, alpha: 4 },
 *   train: { epochs: 1, batchSize: 2, preflight: false, probe: 'none' },
 * });
 * const { test } = await runExperiment(config);
 * console.log(`DSC ${test.dsc.toFixed(1)} %`); // and the adapter is in runs/first/best
 */
export function runExperiment(config: RunConfig, options: ExperimentOptions = {}): Promise<RunMetrics> {
  return withRunLock(config.run.dir, () => experiment(config, options));
}

async function experiment(config: RunConfig, options: ExperimentOptions): Promise<RunMetrics> {
  const { folds } = config.eval;
  const parts = await openRun(config.data, config.run.seed, { folds, logger: options.logger });
  // Training writes it too, once it has seen that a resumed run has the same settings.
  if (!options.resume) await writeFileAtomic(join(config.run.dir, 'config.yaml'), stringify(config));
  const probe = await openProbe(config);
  const tried: ProbeScore[] = [];
  const evaluations: Evaluation[] = [];
  const training: TrainResult[] = [];
  for (const [k, data] of parts.entries()) {
    if (folds > 0) options.onFold?.(k + 1, folds);
    const dir = folds > 0 ? join(config.run.dir, `fold-${k + 1}`) : config.run.dir;
    const result = await runTraining({ ...config, run: { ...config.run, dir } }, data, options);
    training.push(result);
    const models = modelsOf(config, result.bestDir);
    evaluations.push(await evaluateModels(models, data.test, config));
    if (probe) tried.push(await tryOut(models, probe));
  }
  const test = summarise(pool(evaluations));
  // Training changed no file of the model that it started from.
  const forgetting = probe && { probe: probe.name, before: await tryOut(startOf(config), probe), after: meanScore(tried) };
  if (forgetting) options.logger?.info(forgettingLine(forgetting));
  const metrics = {
    test,
    ...(folds > 0 && { folds: evaluations.map(foldScore) }),
    training,
    ...(forgetting && { forgetting }),
  };
  await writeFileAtomic(join(config.run.dir, 'metrics.json'), `${JSON.stringify(metrics, null, 2)}\n`);
  await writeFileAtomic(
    join(config.run.dir, 'rows.json'),
    `${JSON.stringify(
      evaluations.flatMap(({ rows }) => rows),
      null,
      2,
    )}\n`,
  );
  return metrics;
}

/** Loads the models, evaluates them on a dataset and frees them. */
export async function evaluateModels(
  models: LoadOptions,
  dataset: Dataset,
  { eval: { boxThreshold, select } }: Pick<RunConfig, 'eval'>,
  onImage?: EvaluateOptions['onImage'],
): Promise<Evaluation> {
  const segmenter = await GroundedSegmenter.load(models);
  try {
    return await evaluate(segmenter, dataset, { select: { boxThreshold, perPhrase: select }, ...(onImage && { onImage }) });
  } finally {
    segmenter.dispose();
  }
}

/** The models that a run starts from, with the adapters that it names. */
export function startOf({ model: { detector, masker, adapter, maskerAdapter } }: Pick<RunConfig, 'model'>): LoadOptions {
  return { detector, masker, ...(adapter && { adapter }), ...(maskerAdapter && { maskerAdapter }) };
}

/** Which models a trained run stands for: its best weights in the place of what it trained. */
export function modelsOf(config: Pick<RunConfig, 'task' | 'model' | 'lora'>, bestDir: string): LoadOptions {
  const start = startOf(config);
  if (config.task === 'masker') return { ...start, [config.lora === undefined ? 'masker' : 'maskerAdapter']: bestDir };
  return { ...start, [config.lora === undefined ? 'detector' : 'adapter']: bestDir };
}

/** Several evaluations as one. */
export function pool(evaluations: readonly Evaluation[]): Evaluation {
  const sum = (pick: (evaluation: Evaluation) => number) =>
    evaluations.reduce((total, evaluation) => total + pick(evaluation), 0);
  return {
    rows: evaluations.flatMap(({ rows }) => rows),
    absent: sum(({ absent }) => absent),
    falseAlarms: sum(({ falseAlarms }) => falseAlarms),
    images: sum(({ images }) => images),
  };
}

function foldScore(evaluation: Evaluation): FoldScore {
  const { dsc, iou, images } = summarise(evaluation);
  return { dsc, iou, images };
}
