import { ensureBackend } from '../../backend/index.js';
import { type CollectOptions, calibratePresence, collect, kidneyWordings, wordingsOf } from '../../eval/index.js';
import { writeCalibration } from '../../infer/index.js';
import type { RunConfig } from '../../train/index.js';
import { UsageError } from '../../util/index.js';
import { metricsFileOf, readMetrics } from '../metrics-file.js';
import { checkRequests, type OpenMethods, openMethods } from './methods.js';
import {
  type EvaluateRunOptions,
  type EvaluateRunResult,
  type EvaluationSettings,
  type Material,
  settingsOf,
} from './options.js';
import { openRunFolds, type RunFold } from './run-folds.js';
import { writeReport } from './write-report.js';

/**
 * Evaluates the models of a run on a split of its data under both protocols, and writes `metrics.json`, `per-image.csv`, tables,
 * figures and `evaluation.html` into the run folder. Predictions are cached, so an interrupted evaluation resumes. Starts the
 * best available backend unless one was started before.
 */
export async function evaluateRun(config: RunConfig, options: EvaluateRunOptions = {}): Promise<EvaluateRunResult> {
  await ensureBackend();
  const settings = settingsOf(options);
  const { onProgress } = settings;
  // A file that cannot be extended, and weights of another method, are refused before images are read and models run.
  await readMetrics(metricsFileOf(config.run, settings.split));
  const requests = await checkRequests(settings.methods);
  const runFolds = await openRunFolds(config, settings);
  const ablation = settings.tables.includes(2);
  const methods = await openMethods(runFolds, { config, ablation, requests, ...settings });
  try {
    const collectOptions = collectOptionsOf(config, settings);
    const calibration = await calibrate(config, runFolds, methods, collectOptions, settings);
    const collected = await collect(methods.splits, {
      ...collectOptions,
      ...(onProgress && { onProgress }),
    });
    for (const folder of methods.folders) folder.assertUsed(methods.splits.reduce((sum, { dataset }) => sum + dataset.size, 0));
    return await writeReport(config, settings, { runFolds, methods, collected, calibration });
  } finally {
    for (const method of new Set(methods.splits.flatMap((split) => [...split.methods]))) await method.dispose();
  }
}

/** Options for evaluating images. */
export function collectOptionsOf(
  { eval: { threshold, select, grid } }: Pick<RunConfig, 'eval'>,
  settings: EvaluationSettings,
): CollectOptions {
  const { wordings, tables } = settings;
  const list = (structure: string): readonly string[] => {
    const own = wordings === undefined ? [] : wordingsOf(wordings, structure);
    const kidney = tables.includes(5) ? wordingsOf(kidneyWordings([structure]), structure) : [];
    const all = [...new Set([...own, ...kidney])];
    return all.length > 1 ? all : [];
  };
  return {
    prompt: settings.prompt,
    threshold,
    select,
    grid,
    tolerance: settings.tolerance,
    trust: settings.trust,
    wordings: list,
    negatives: settings.negatives,
  };
}

/** Chooses a threshold on the validation split and stores it beside its weights. */
async function calibrate(
  config: RunConfig,
  runFolds: readonly RunFold[],
  { splits, ours }: OpenMethods,
  collectOptions: CollectOptions,
  { calibrate: rate, negatives, onProgress }: EvaluationSettings,
): Promise<Material['calibration']> {
  if (rate === undefined) return undefined;
  const [fold] = runFolds;
  const [own] = ours;
  if (splits.length !== 1 || fold === undefined || own === undefined)
    throw new UsageError({
      code: 'E_OPTION_CONFLICT',
      where: '--calibrate',
      what: 'a cross-validation has several models',
      fix: 'Calibrate one run: set eval.folds=0',
    });
  const validation = await collect([{ dataset: fold.data.val, methods: [own] }], {
    ...collectOptions,
    trust: false,
    wordings: () => [],
    onProgress: (stage, done, total) => stage === 'images' && onProgress?.('calibration', done, total),
  });
  const rows = validation.rows.filter(({ protocol }) => protocol === 'strict');
  const names = [...validation.surveys.keys()].join(', ');
  const asked = negatives.length === 0 ? '' : `, with ${negatives.join(', ')}`;
  const calibration = calibratePresence(rows, {
    falsePositiveRate: rate,
    source: `val of ${names}${asked}`,
    model: own.fingerprint,
  });
  // Shipped weights are read-only: their thresholds belong to the run that requested them.
  const file = await writeCalibration(
    fold.trained ? (fold.models.adapter ?? fold.models.detector ?? config.run.dir) : config.run.dir,
    calibration,
  );
  return { file, ...calibration.overall };
}
