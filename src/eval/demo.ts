import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Dataset, Sample } from '../data/index.js';
import type { Segment } from '../infer/index.js';
import { drawOverlay } from '../processing/index.js';
import { type OpenedParts, openRun, type RunConfig, runTraining, withRunLock } from '../train/index.js';
import { type Logger, writeFileAtomic } from '../util/index.js';
import { type TrivialGuess, trivialGuess } from './baseline.js';
import type { EvaluateOptions, Evaluation } from './evaluate.js';
import { evaluateModels, modelsOf } from './experiment.js';
import { type ReportImage, writeReport } from './report.js';
import { type Summary, summarise } from './run-summary.js';

export interface DemoResult {
  readonly before: Summary;
  readonly after: Summary;
  readonly trivial: TrivialGuess;
  readonly reportFile: string;
  readonly metricsFile: string;
}

export interface DemoOptions {
  readonly logger: Logger;
  /** Called as work goes on: what is being done, how far it is. */
  readonly onProgress: (stage: 'before' | 'training' | 'after', done: number, total: number, note?: string) => void;
}

/** How many pictures the report shows. */
const GALLERY = 24;

/** Evaluates the models, fine-tunes them, evaluates again, and writes overlays, `metrics.json` and `report.html`. */
export function runDemo(config: RunConfig, options: DemoOptions): Promise<DemoResult> {
  return withRunLock(config.run.dir, () => demo(config, options));
}

async function demo(config: RunConfig, { logger, onProgress }: DemoOptions): Promise<DemoResult> {
  const { dir } = config.run;
  await writeFileAtomic(join(dir, 'config.yaml'), stringify(config));
  const [data] = (await openRun(config.data, config.run.seed, { logger })) as [OpenedParts];
  const trivial = await trivialGuess(data.train, data.test);

  const before = await look({ detector: config.model.detector, masker: config.model.masker }, data.test, config, (done) =>
    onProgress('before', done, data.test.size),
  );
  const training = await runTraining(config, data, {
    logger,
    onProgress: ({ step, totalSteps, loss }) => onProgress('training', step, totalSteps, `loss ${loss.toFixed(2)}`),
  });
  const after = await look(modelsOf(config, training.bestDir), data.test, config, (done) =>
    onProgress('after', done, data.test.size),
  );

  const images = await gallery(data.test, before, after);
  await mkdir(join(dir, 'overlays'), { recursive: true });
  for (const { title, after: png } of images) await writeFileAtomic(join(dir, 'overlays', `${title}.png`), png);
  const [first, last] = [summarise(before.evaluation), summarise(after.evaluation)];
  const metricsFile = join(dir, 'metrics.json');
  await writeFileAtomic(metricsFile, `${JSON.stringify({ before: first, after: last, trivial, training }, null, 2)}\n`);
  const reportFile = join(dir, 'report.html');
  await writeReport(reportFile, {
    title: 'sonoground demo: a nano model meets another probe',
    intro:
      'The shipped nano model was trained on phantoms of one probe. Here it sees phantoms of another probe, with other gain and with a structure that it has never seen, before and after a few minutes of LoRA fine-tuning. All images are simulated.',
    before: first,
    after: last,
    trivial,
    curve: await readCurve(join(dir, 'log.jsonl')),
    images,
  });
  return { before: first, after: last, trivial, reportFile, metricsFile };
}

interface Look {
  readonly evaluation: Evaluation;
  readonly segments: readonly (readonly Segment[])[];
}

async function look(
  models: Parameters<typeof evaluateModels>[0],
  dataset: Dataset,
  config: RunConfig,
  onDone: (done: number) => void,
): Promise<Look> {
  const segments: (readonly Segment[])[] = [];
  const onImage: EvaluateOptions['onImage'] = (_sample, found, done) => {
    segments.push(found);
    onDone(done);
  };
  return { evaluation: await evaluateModels(models, dataset, config, onImage), segments };
}

async function gallery(dataset: Dataset, before: Look, after: Look): Promise<ReportImage[]> {
  const images: ReportImage[] = [];
  for (let i = 0; i < Math.min(GALLERY, dataset.size); i++) {
    const sample = await dataset.load(i);
    const [truth, first, last] = await Promise.all([
      drawOverlay(
        sample.image,
        sample.objects.map(({ phrase, ...rest }) => ({ label: phrase, ...rest })),
        dataset.phrases ?? [],
      ),
      overlayOf(sample, before.segments[i] ?? [], dataset.phrases ?? []),
      overlayOf(sample, after.segments[i] ?? [], dataset.phrases ?? []),
    ]);
    const score = ({ evaluation: { rows } }: Look) => {
      const own = rows.filter(({ id }) => id === sample.id);
      return own.reduce((sum, { dsc }) => sum + dsc, 0) / Math.max(own.length, 1);
    };
    if (sample.objects.length > 0)
      images.push({ title: sample.id, truth, before: first, after: last, dscBefore: score(before), dscAfter: score(after) });
  }
  return images;
}

function overlayOf(sample: Sample, segments: readonly Segment[], phrases: readonly string[]): Promise<Buffer> {
  return drawOverlay(
    sample.image,
    segments.map(({ phrase, ...rest }) => ({ label: phrase, ...rest })),
    phrases,
  );
}

async function readCurve(file: string): Promise<{ epoch: number; train: number; val: number }[]> {
  const entries = (await readFile(file, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; epoch: number; train: number; val: number });
  return entries.filter(({ event }) => event === 'epoch').map(({ epoch, train, val }) => ({ epoch, train, val }));
}
