import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import {
  comparisonSchema,
  constantMaskSchema,
  type DatasetScore,
  datasetScoreSchema,
  presenceSchema,
  protocolSummarySchema,
  robustnessSchema,
  trustSchema,
} from '../eval/index.js';
import { presenceThresholdSchema } from '../infer/index.js';
import { DataError, shownName, writeFileAtomic } from '../util/index.js';
import { forgettingSchema } from './train/forgetting.js';

/** Changes when a key of `metrics.json` is renamed or changes its meaning. */
export const METRICS_VERSION = 1;

const methodSchema = z.strictObject({ strict: protocolSummarySchema, paper: protocolSummarySchema }).readonly();
const countingSchema = z.strictObject({ threshold: z.number(), select: z.string() }).readonly();
const texts = z.array(z.string()).readonly();

const trainingSchema = z
  .strictObject({
    task: z.enum(['detector', 'masker']),
    steps: z.int(),
    epochs: z.int(),
    /** The value of `train.monitor` of the best weights: by default their validation loss. */
    bestValLoss: z.number(),
    stoppedEarly: z.boolean(),
    bestDir: z.string(),
  })
  .readonly();

/** `metrics.json` of a run folder, whichever command wrote it. Scores are percentages by the strict protocol unless `paper` is in their path. */
const metricsSchema = z
  .strictObject({
    schemaVersion: z.literal(METRICS_VERSION),

    /** All test images: as training left the models, or, where no training was, as they were evaluated last. */
    test: datasetScoreSchema.exactOptional(),
    /** The test images of each fold of a cross-validation; `test` is then over all of them. */
    folds: z.array(datasetScoreSchema).readonly().exactOptional(),
    /** What each training came to: one a fold; in the demo the detector's, then the masker's. */
    training: z.array(trainingSchema).readonly().exactOptional(),
    /** How models do on a fixed probe before and after training; absent where the run has none. */
    forgetting: forgettingSchema.exactOptional(),

    /** The demo: what the models make of the images that are taught, before training and after it. */
    before: datasetScoreSchema.exactOptional(),
    after: datasetScoreSchema.exactOptional(),
    /** The demo: what they make of what they knew. */
    retained: z
      .strictObject({
        before: protocolSummarySchema,
        after: protocolSummarySchema,
        /** Points of DSC that were lost on the dataset that lost most: one that gained does not make up for it. */
        lost: z.number().nullable(),
      })
      .readonly()
      .exactOptional(),

    /** The best constant mask of the training images, in place of an answer. */
    constantMask: constantMaskSchema.exactOptional(),

    /** The evaluation of the run's models, and that of other methods. */
    strict: protocolSummarySchema.exactOptional(),
    paper: protocolSummarySchema.exactOptional(),
    methods: z.record(z.string(), methodSchema).readonly().exactOptional(),
    comparisons: z.array(comparisonSchema).readonly().exactOptional(),
    prompts: z
      .record(z.string(), z.strictObject({ strict: z.string(), paper: z.string() }).readonly())
      .readonly()
      .exactOptional(),
    warnings: texts.exactOptional(),
    settings: z
      .strictObject({
        strict: countingSchema,
        paper: countingSchema,
        tolerance: z.strictObject({ mm: z.number(), px: z.number() }).readonly(),
        bootstrap: z.strictObject({ seed: z.int(), draws: z.int(), confidence: z.number() }).readonly(),
      })
      .readonly()
      .exactOptional(),
    evaluated: z
      .strictObject({ split: z.enum(['train', 'val', 'test']), models: texts, fingerprints: texts })
      .readonly()
      .exactOptional(),
    presence: presenceSchema
      .unwrap()
      .extend({ calibration: presenceThresholdSchema.extend({ file: z.string() }).exactOptional() })
      .readonly()
      .exactOptional(),
    trust: trustSchema.exactOptional(),
    robustness: z.array(robustnessSchema).readonly().exactOptional(),
  })
  .readonly();

/** What `metrics.json` of a run folder holds. Scores are percentages by the strict protocol, unless `paper` is in their path. */
export type Metrics = z.infer<typeof metricsSchema>;

/** The same without the version, which is the file's. */
export type MetricsContent = Omit<Metrics, 'schemaVersion'>;

/** The file that holds the figures of a part of a run's data. */
export function metricsFileOf({ dir }: { readonly dir: string }, split: 'train' | 'val' | 'test' = 'test'): string {
  return join(dir, split === 'test' ? 'metrics.json' : `metrics-${split}.json`);
}

/**
 * Reads a `metrics.json`.
 *
 * @returns undefined where there is no such file.
 * @throws DataError for a file that cannot be read, that another version or another program wrote, or that was damaged.
 */
export async function readMetrics(file: string): Promise<Metrics | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const what = `it cannot be read (${(cause as NodeJS.ErrnoException).code})`;
    throw new DataError({ where: file, what, fix: 'Check its permissions', cause });
  }
  const value = parse(file, text);
  const version = typeof value === 'object' && value !== null && 'schemaVersion' in value ? value.schemaVersion : undefined;
  if (version !== METRICS_VERSION) {
    const what =
      version === undefined
        ? 'it has no schemaVersion: an older version of sonoground wrote it, or another program'
        : `its schemaVersion is ${shownName(JSON.stringify(version))}`;
    throw notMetrics(file, `${what}; expected ${METRICS_VERSION}`);
  }
  const parsed = metricsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${shownName(path.join('.')) || 'the file'}: ${message}`);
  throw notMetrics(file, problems.slice(0, 3).join('; '));
}

/** Writes a `metrics.json` in place of what was there. */
export async function writeMetrics(file: string, content: MetricsContent): Promise<void> {
  const metrics = metricsSchema.parse({ schemaVersion: METRICS_VERSION, ...content });
  await writeFileAtomic(file, `${JSON.stringify(metrics, null, 2)}\n`);
}

/**
 * Adds the figures of an evaluation to a `metrics.json`, keeping what training and the demo wrote into it.
 *
 * @param test - strict figures of the run's models over all test images; absent for other parts of the data.
 * @throws DataError as {@link readMetrics} does.
 */
export async function addEvaluation(file: string, figures: MetricsContent, test?: DatasetScore): Promise<void> {
  const known = await readMetrics(file);
  // The demo trains too, but leaves no `test`: its folder has `before` and `after`.
  const fromTraining = known?.training !== undefined && known.after === undefined;
  await writeMetrics(file, { ...known, ...(test && !fromTraining && { test }), ...figures });
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw notMetrics(file, `it is not JSON: ${(cause as Error).message}`, cause);
  }
}

function notMetrics(file: string, what: string, cause?: unknown): DataError {
  return new DataError({ where: file, what, fix: 'Move it away, then run the command again', cause });
}
