import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { CocoDataset } from '../../data/index.js';
import { type OpenedParts, openRun, runTraining, type TrainResult, withRunLock } from '../../train/index.js';
import { type Logger, writeFileAtomic } from '../../util/index.js';
import { type TrivialGuess, trivialGuess } from '../baseline.js';
import { startOf } from '../experiment.js';
import { readTrainingCurves } from '../page/training-curves.js';
import { writeReport } from '../report.js';
import { type Summary, summarise } from '../run-summary.js';
import { type DemoConfig, resultOf, type Training, trainingOf, trainings } from './config.js';
import { gallery } from './gallery.js';
import { lookAt, openQuestions, type Retained } from './looks.js';

/** What `metrics.json` of the demo holds. Percent. */
export interface DemoMetrics {
  readonly before: Summary;
  readonly after: Summary;
  /** The best constant mask of the training images. */
  readonly trivial: TrivialGuess;
  readonly retained: {
    readonly before: Retained;
    readonly after: Retained;
    /** Points of DSC that were lost on the dataset that lost most: one that gained does not make up for it. */
    readonly lost: number;
  };
  readonly training: Readonly<Record<Training, TrainResult>>;
}

export interface DemoResult extends DemoMetrics {
  /** Images that the constant mask was made of. */
  readonly learntFrom: number;
  readonly reportFile: string;
  readonly metricsFile: string;
}

/** What the demo is at. */
export type DemoStage = 'before' | Training | 'after';

export interface DemoOptions {
  readonly logger: Logger;
  /** Called as work goes on: what is being done, how far it is. */
  readonly onProgress: (stage: DemoStage, done: number, total: number, note?: string) => void;
}

/**
 * Evaluates the models, fine-tunes the detector and then the masker, evaluates both together, and writes overlays, `metrics.json`
 * and `report.html`. What is left in the folder is a run that `eval` judges.
 */
export function runDemo(config: DemoConfig, options: DemoOptions): Promise<DemoResult> {
  return withRunLock(config.run.dir, () => demo(config, options));
}

async function demo(config: DemoConfig, options: DemoOptions): Promise<DemoResult> {
  const { dir } = config.run;
  const { onProgress } = options;
  const resultFile = join(dir, 'config.yaml');
  await writeFileAtomic(join(dir, 'demo.yaml'), stringify(config));
  await rm(resultFile, { force: true }); // of an earlier demo, whose adapters are about to be set aside
  const train = await CocoDataset.open(config.judged.learnt, 'train');
  const questions = await openQuestions(config);
  const trivial = await trivialGuess(train, questions.learnt);

  const before = await lookAt(startOf(config), questions, config.eval, (...done) => onProgress('before', ...done));
  const training = await trainBoth(config, options);
  const model = tunedModels(config, training);
  const after = await lookAt(startOf({ model }), questions, config.eval, (...done) => onProgress('after', ...done));

  const images = await gallery(questions.learnt, before.learnt, after.learnt);
  await mkdir(join(dir, 'overlays'), { recursive: true });
  for (const { title, after: png } of images) await writeFileAtomic(join(dir, 'overlays', `${title}.png`), png);
  const metrics: DemoMetrics = {
    before: summarise(before.learnt.evaluation),
    after: summarise(after.learnt.evaluation),
    trivial,
    retained: { before: before.retained, after: after.retained, lost: mostLost(before.retained, after.retained) },
    training,
  };
  const [metricsFile, reportFile] = [join(dir, 'metrics.json'), join(dir, 'report.html')];
  await writeFileAtomic(metricsFile, `${JSON.stringify(metrics, null, 2)}\n`);
  await writeReport(reportFile, {
    title: `sonoground demo: ${Object.keys(metrics.after.perStructure).join(', ')}`,
    intro: `The shipped models have never been trained on these images. Here they meet ${questions.learnt.size} of them before and after LoRA fine-tuning of the detector and of the mask decoder on ${train.size} others, of other subjects. The images are real: examples/README.md says whose.`,
    ...metrics,
    curves: await readTrainingCurves(trainings.map((name) => ({ name, dir: join(dir, name) }))),
    images,
  });
  await writeFileAtomic(resultFile, stringify(resultOf(config, model)));
  return { ...metrics, learntFrom: train.size, reportFile, metricsFile };
}

/** The models after training: an adapter beside what it started from, or a model of its own where all parameters were trained. */
function tunedModels(config: DemoConfig, { detector, masker }: Record<Training, TrainResult>): DemoConfig['model'] {
  const found = config.detector.lora === undefined ? { detector: detector.bestDir } : { adapter: detector.bestDir };
  const outlined = config.masker.lora === undefined ? { masker: masker.bestDir } : { maskerAdapter: masker.bestDir };
  return { ...config.model, start: 'pretrained', ...found, ...outlined };
}

/** Trains each of the two by itself: what one learns does not depend on the other. */
async function trainBoth(config: DemoConfig, { logger, onProgress }: DemoOptions): Promise<Record<Training, TrainResult>> {
  const [data] = (await openRun(config.data, config.run.seed, { logger })) as [OpenedParts];
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

function mostLost(before: Retained, after: Retained): number {
  const losses = Object.entries(after.sets).map(([name, { dsc }]) => (before.sets[name]?.dsc ?? 0) - dsc);
  return Math.round(Math.max(...losses) * 100) / 100;
}
