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
import { DataError, renameKeys, shownName, writeFileAtomic } from '../util/index.js';
import { forgettingSchema } from './train/forgetting.js';

/** Increase when a key of `metrics.json` is renamed or changes its meaning. Earlier versions are read: {@link upgraded}. */
export const METRICS_VERSION = 2;

const methodSchema = z
  .strictObject({
    strict: protocolSummarySchema,
    paper: protocolSummarySchema,
    /** What the method is given besides the image; absent if unknown. */
    given: z.string().exactOptional(),
    /** What a reader of its figures has to know. */
    note: z.string().exactOptional(),
    /** Whether its training included each dataset. */
    seen: z
      .record(z.string(), z.enum(['yes', 'training split', 'unknown']))
      .readonly()
      .exactOptional(),
  })
  .readonly();
const countingSchema = z.strictObject({ threshold: z.number(), select: z.string() }).readonly();
const texts = z.array(z.string()).readonly();

const trainingSchema = z
  .strictObject({
    task: z.enum(['detector', 'masker', 'memory', 'universeg']),
    steps: z.int(),
    epochs: z.int(),
    /** `train.monitor`: the number that decided which weights are the best. Files of version 1 do not say. */
    monitor: z.string().exactOptional(),
    /** Its value for the best weights. */
    bestValue: z.number(),
    stoppedEarly: z.boolean(),
    bestDir: z.string(),
  })
  .readonly();

/**
 * `metrics.json` of a run folder, whichever command wrote it. Scores are percentages by the strict protocol unless `paper` is in
 * their path.
 */
const metricsSchema = z
  .strictObject({
    schemaVersion: z.literal(METRICS_VERSION),

    /** Over all test images: after training or, without training, from the latest evaluation. */
    test: datasetScoreSchema.exactOptional(),
    /** Per fold of a cross-validation; `test` then covers all folds. */
    folds: z.array(datasetScoreSchema).readonly().exactOptional(),
    /** Outcome of each training: one per fold; for the demo the detector's, then the masker's. */
    training: z.array(trainingSchema).readonly().exactOptional(),
    /** Scores on a fixed probe before and after training; absent if the run has no probe. */
    forgetting: forgettingSchema.exactOptional(),

    /** Demo: scores on the training domain, before and after training. */
    before: datasetScoreSchema.exactOptional(),
    after: datasetScoreSchema.exactOptional(),
    /** Demo: scores on the prior domains. */
    retained: z
      .strictObject({
        before: protocolSummarySchema,
        after: protocolSummarySchema,
        /** Largest drop in DSC, in points, over these datasets; gains on others do not compensate. */
        lost: z.number().nullable(),
      })
      .readonly()
      .exactOptional(),

    /** Constant-mask baseline from the training images. */
    constantMask: constantMaskSchema.exactOptional(),

    /** The evaluation of the run's models, and of other methods. */
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
        /** Grid on which the paper's protocol compares; absent: the image's. */
        grid: z.enum(['image', 'prediction']).exactOptional(),
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

/** Content of a run's `metrics.json`. Scores are percentages by the strict protocol, unless `paper` is in their path. */
export type Metrics = z.infer<typeof metricsSchema>;

/** The content without the schema version, which is added on writing. */
export type MetricsContent = Omit<Metrics, 'schemaVersion'>;

/** The metrics file of a split of a run's data. */
export function metricsFileOf({ dir }: { readonly dir: string }, split: 'train' | 'val' | 'test' = 'test'): string {
  return join(dir, split === 'test' ? 'metrics.json' : `metrics-${split}.json`);
}

/**
 * Reads a `metrics.json`.
 *
 * @returns undefined if the file does not exist.
 * @throws DataError if the file is unreadable, damaged, or written by another version or program.
 */
export async function readMetrics(file: string): Promise<Metrics | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const what = `it cannot be read (${(cause as NodeJS.ErrnoException).code})`;
    throw new DataError({ code: 'E_FILE_UNREADABLE', where: file, what, fix: 'Check its permissions', cause });
  }
  const value = upgraded(parse(file, text));
  const version = isTable(value) ? value['schemaVersion'] : undefined;
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

/** Writes a `metrics.json`, replacing the existing one. */
export async function writeMetrics(file: string, content: MetricsContent): Promise<void> {
  const metrics = metricsSchema.parse({ schemaVersion: METRICS_VERSION, ...content });
  await writeFileAtomic(file, `${JSON.stringify(metrics, null, 2)}\n`);
}

/**
 * Adds the figures of an evaluation to a `metrics.json`, keeping those of training and the demo.
 *
 * @param test - strict figures of the run's models over all test images; absent for other splits.
 * @throws DataError as {@link readMetrics} does.
 */
export async function addEvaluation(file: string, figures: MetricsContent, test?: DatasetScore): Promise<void> {
  const known = await readMetrics(file);
  // The demo trains too but writes `before` and `after` instead of `test`.
  const fromTraining = known?.training !== undefined && known.after === undefined;
  await writeMetrics(file, { ...known, ...(test && !fromTraining && { test }), ...figures });
}

/** Keys of version 1 that are called something else since. */
const RENAMED: Readonly<Record<string, string>> = {
  bestValLoss: 'bestValue',
  missed: 'falseNegatives',
  falseAlarms: 'falsePositives',
  falseAlarmRate: 'falsePositiveRate',
  targetFalseAlarmRate: 'targetFalsePositiveRate',
  dscGivenTrueBox: 'dscWithGroundTruthBox',
};

/** The content of a file of version 1 under the keys of version 2; anything else as it is. */
function upgraded(value: unknown): unknown {
  if (!isTable(value) || value['schemaVersion'] !== 1) return value;
  return { ...(renameKeys(value, RENAMED) as object), schemaVersion: METRICS_VERSION };
}

function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw notMetrics(file, `it is not JSON: ${(cause as Error).message}`, cause);
  }
}

function notMetrics(file: string, what: string, cause?: unknown): DataError {
  return new DataError({ code: 'E_RESULTS_DAMAGED', where: file, what, fix: 'Move it away, then run the command again', cause });
}
