import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { CocoDataset } from '../../data/index.js';
import type { ProtocolSummary } from '../../eval/index.js';
import { constantMaskBaseline } from '../../eval/index.js';
import { roundedOrNull } from '../../metrics/index.js';
import { type OpenedSplits, openRun, runTraining, type TrainResult, withRunLock } from '../../train/index.js';
import { type Logger, writeFileAtomic } from '../../util/index.js';
import { metricsFileOf, writeMetrics } from '../metrics-file.js';
import { selectStartingModels } from '../models-of-run.js';
import { type DemoConfig, resultOf, type Training, trainingOf, trainings } from './config.js';
import { judgeModels, openQuestions } from './judge-models.js';
import type { DemoMetrics } from './tables.js';
import { writeReport } from './write-report.js';

export interface DemoResult extends DemoMetrics {
  /** Number of images behind the constant mask. */
  readonly learntFrom: number;
  readonly reportFile: string;
  readonly metricsFile: string;
}

/** Stage of the demo. */
export type DemoStage = 'before' | Training | 'after';

export interface DemoOptions {
  readonly logger: Logger;
  /** Progress callback. */
  readonly onProgress: (stage: DemoStage, done: number, total: number, note?: string) => void;
}

/**
 * Evaluates the models by the strict protocol, fine-tunes the detector and then the masker, evaluates both together, and writes
 * `metrics.json`, `report.html`, `per-image.csv` and overlays. The resulting folder is a run that `eval` can evaluate.
 */
export function runDemo(config: DemoConfig, options: DemoOptions): Promise<DemoResult> {
  return withRunLock(config.run.dir, () => demo(config, options));
}

async function demo(config: DemoConfig, options: DemoOptions): Promise<DemoResult> {
  const { dir } = config.run;
  const { onProgress } = options;
  const resultFile = join(dir, 'config.yaml');
  await writeFileAtomic(join(dir, 'demo.yaml'), stringify(config));
  await rm(resultFile, { force: true }); // of an earlier demo, whose adapters are about to be moved aside
  const train = await CocoDataset.open(config.judged.learnt, 'train');
  const questions = await openQuestions(config);
  const constantMask = await constantMaskBaseline([{ train, test: questions.learnt }]);

  const before = await judgeModels('before', selectStartingModels(config), questions, config, (...done) =>
    onProgress('before', ...done),
  );
  const training = await trainBoth(config, options);
  const model = tunedModels(config, training);
  const after = await judgeModels('after', selectStartingModels({ model }), questions, config, (...done) =>
    onProgress('after', ...done),
  );

  const [old, now] = [before.retainedSummary, after.retainedSummary];
  const metrics: DemoMetrics = {
    before: before.learnt.score,
    after: after.learnt.score,
    retained: { before: old, after: now, lost: mostLost(old, now) },
    constantMask,
    training: trainings.map((task) => ({ task, ...training[task] })),
  };
  const metricsFile = metricsFileOf(config.run);
  await writeMetrics(metricsFile, metrics);
  const reportFile = await writeReport(config, { metrics, before, after, learntFrom: train.size });
  await writeFileAtomic(resultFile, stringify(resultOf(config, model)));
  return { ...metrics, learntFrom: train.size, reportFile, metricsFile };
}

/** The models after training: an adapter on its base model, or a new model if all parameters were trained. */
function tunedModels(config: DemoConfig, { detector, masker }: Record<Training, TrainResult>): DemoConfig['model'] {
  const found = config.detector.lora === undefined ? { detector: detector.bestDir } : { adapter: detector.bestDir };
  const outlined = config.masker.lora === undefined ? { masker: masker.bestDir } : { maskerAdapter: masker.bestDir };
  return { ...config.model, start: 'pretrained', ...found, ...outlined };
}

/** Trains each of the two separately; neither depends on the other. */
async function trainBoth(config: DemoConfig, { logger, onProgress }: DemoOptions): Promise<Record<Training, TrainResult>> {
  const [data] = (await openRun(config.data, config.run.seed, { logger })) as [OpenedSplits];
  const one = (name: Training) => {
    const run = trainingOf(config, name);
    return withRunLock(run.run.dir, () =>
      runTraining(run, data, {
        logger,
        onProgress: ({ step, totalSteps, loss }) => onProgress(name, step, totalSteps, `loss ${loss.toFixed(2)}`),
      }),
    );
  };
  return { detector: await one('detector'), masker: await one('masker') };
}

function mostLost(before: ProtocolSummary, after: ProtocolSummary): number | null {
  const losses = Object.entries(after.datasets).map(([name, { dsc }]) => (before.datasets[name]?.dsc ?? 0) - (dsc ?? 0));
  return roundedOrNull(Math.max(...losses));
}
