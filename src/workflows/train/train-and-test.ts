import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Dataset } from '../../data/index.js';
import type { EvaluationSplit } from '../../eval/index.js';
import { perImageCsv } from '../../eval/index.js';
import {
  onRoot,
  openRun,
  type RunConfig,
  type RunOptions,
  runTraining,
  type TrainResult,
  withRunLock,
} from '../../train/index.js';
import { writeFileAtomic } from '../../util/index.js';
import { evaluateStrictly, summariseStrictly } from '../evaluate/evaluate-strictly.js';
import { type Metrics, metricsFileOf, writeMetrics } from '../metrics-file.js';
import { selectStartingModels, selectTrainedModels } from '../models-of-run.js';
import { forgettingLine, meanScore, openProbe, type ProbeScore, tryOut } from './forgetting.js';
import { openTest } from './open-test.js';

/** Training's part of `metrics.json`; see {@link Metrics}. */
export type RunMetrics = Required<Pick<Metrics, 'test' | 'training'>> & Pick<Metrics, 'folds' | 'forgetting'>;

/** Options for starting and monitoring an experiment. */
export interface ExperimentOptions extends RunOptions {
  /** Called before each fold of a cross-validation. */
  readonly onFold?: (fold: number, of: number) => void;
}

/**
 * Trains, tests the best weights by the strict protocol, and writes `metrics.json` and `per-image.csv` into the run folder.
 * Answers are cached there too, so that a later evaluation of the run reuses them.
 *
 * @example
 * import { initBackend } from 'sonoground';
 * import { runConfigSchema, runExperiment } from 'sonoground/train';
 *
 * await initBackend();
 * const config = runConfigSchema.parse({
 *   run: { dir: 'runs/first' },
 *   data: { format: 'phantom', phantom: { train: 2, val: 1, test: 1 } },
 *   lora: { preset: 'paper', rank: 4, alpha: 4 },
 *   train: { epochs: 1, batchSize: 2, preflight: false, probe: 'none' },
 * });
 * const { test } = await runExperiment(config);
 * console.log(`DSC ${test.dsc?.toFixed(1)} %`); // and the adapter is in runs/first/best
 */
export function runExperiment(config: RunConfig, options: ExperimentOptions = {}): Promise<RunMetrics> {
  if (options.ranks?.isRoot === false) return experiment(config, options);
  return withRunLock(config.run.dir, () => experiment(config, options), options.logger);
}

async function experiment(config: RunConfig, options: ExperimentOptions): Promise<RunMetrics> {
  const { folds } = config.eval;
  const divisions = await openRun(config.data, config.run.seed, { folds, logger: options.logger });
  // Training also writes it, after verifying that a resumed run has the same settings.
  const { ranks } = options;
  if (!options.resume && ranks?.isRoot !== false) await writeFileAtomic(join(config.run.dir, 'config.yaml'), stringify(config));
  const probe = await openProbe(config);
  const tried: ProbeScore[] = [];
  const training: TrainResult[] = [];
  const judged: EvaluationSplit[] = [];
  for (const [k, data] of divisions.entries()) {
    if (folds > 0) options.onFold?.(k + 1, folds);
    const dir = folds > 0 ? join(config.run.dir, `fold-${k + 1}`) : config.run.dir;
    const result = await runTraining({ ...config, run: { ...config.run, dir } }, data, options);
    training.push(result);
    await onRoot(ranks, async () => {
      judged.push(...(await openTest(config, data, result, options.logger)));
      if (probe) tried.push(await tryOut(selectTrainedModels(config, result.bestDir), probe));
    });
  }
  return onRoot(ranks, () => test(config, { training, judged, probe, tried }, options));
}

/** The results of training, to be evaluated. */
interface Trained {
  readonly training: readonly TrainResult[];
  readonly judged: readonly EvaluationSplit[];
  readonly probe: Dataset | undefined;
  readonly tried: readonly ProbeScore[];
}

async function test(
  config: RunConfig,
  { training, judged, probe, tried }: Trained,
  options: ExperimentOptions,
): Promise<RunMetrics> {
  const { folds } = config.eval;
  const evaluations = await evaluateStrictly(judged, config);
  if (judged.length > 0 && judged.every(({ dataset }) => dataset.size === 0))
    options.logger?.warn('the test split is empty: nothing was evaluated');
  const { pooled } = summariseStrictly(evaluations, config.run.seed);
  // Training does not modify the files of its initial model.
  const forgetting = probe && {
    probe: probe.name,
    before: await tryOut(selectStartingModels(config), probe),
    after: meanScore(tried),
  };
  if (forgetting) options.logger?.info(forgettingLine(forgetting));
  const metrics: RunMetrics = {
    test: pooled,
    ...(folds > 0 && { folds: evaluations.map(({ score }) => score) }),
    training: training.map((result) => ({ task: config.task, ...result })),
    ...(forgetting && { forgetting }),
  };
  await writeMetrics(metricsFileOf(config.run), metrics);
  await writeFileAtomic(join(config.run.dir, 'per-image.csv'), perImageCsv(evaluations.flatMap(({ rows }) => rows)));
  return metrics;
}
