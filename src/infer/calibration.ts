import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CheckpointError, readModelText, renameKeys, shownName, writeFileAtomic } from '../util/index.js';

/** Name of the calibration file, stored beside the weights that it belongs to. */
const CALIBRATION_FILE = 'calibration.json';

const rate = z.number().min(0).max(1);
/** See {@link PresenceThreshold}. */
export const presenceThresholdSchema = z.object({
  /** Lowest score at which a structure counts as present. */
  threshold: z.number().nonnegative(),
  /** Number of negative images (not showing the structure) whose scores set the threshold. */
  absent: z.int().positive(),
  /** Number of positive images. */
  present: z.int().nonnegative(),
  /** Share of negative images that reach the threshold. */
  falsePositiveRate: rate,
  /** Share of positive images that reach the threshold; null if there were none. */
  detectionRate: rate.nullable(),
});

const calibrationSchema = z.object({
  version: z.literal(2),
  /** The requested false-positive rate. */
  targetFalsePositiveRate: rate,
  /** Source of the scores: `val of stu, busi`. */
  source: z.string(),
  /** Hash of the models that produced the scores. */
  model: z.string(),
  /** For phrases without a threshold of their own. */
  overall: presenceThresholdSchema,
  perPhrase: z.record(z.string(), presenceThresholdSchema),
});

/** Lowest scores at which structures count as present in an image, derived from images that do not show them. */
export type PresenceCalibration = z.infer<typeof calibrationSchema>;
/** A threshold and the statistics it was derived from. */
export type PresenceThreshold = z.infer<typeof presenceThresholdSchema>;

/** Whether an image shows a structure, by the detector's best score for it. */
export interface PresenceVerdict {
  readonly present: boolean;
  readonly score: number;
  readonly threshold: number;
  /** Whether the threshold is the phrase's own, rather than the overall one. */
  readonly ownThreshold: boolean;
  /** The false-positive rate that the threshold was chosen for. */
  readonly falsePositiveRate: number;
}

/** Keys of version 1 with other names in version 2. */
const RENAMED = { falseAlarmRate: 'falsePositiveRate', targetFalseAlarmRate: 'targetFalsePositiveRate' };

/** The content of a file of version 1 under the keys of version 2; anything else as it is. */
function upgraded(value: unknown): unknown {
  if ((value as { version?: unknown } | null)?.version !== 1) return value;
  return { ...(renameKeys(value, RENAMED) as object), version: 2 };
}

/** Writes a calibration beside the weights that it belongs to. */
export async function writeCalibration(dir: string, calibration: PresenceCalibration): Promise<string> {
  const file = join(dir, CALIBRATION_FILE);
  await writeFileAtomic(file, `${JSON.stringify(calibrationSchema.parse(calibration), null, 2)}\n`);
  return file;
}

/**
 * Reads the calibration of a model or adapter; undefined if it has none.
 *
 * @throws CheckpointError when the file is damaged.
 */
export async function readCalibration(dir: string): Promise<PresenceCalibration | undefined> {
  const file = join(dir, CALIBRATION_FILE);
  const isFolder = await stat(dir).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const text = isFolder ? await readModelText(file) : undefined;
  if (text === undefined) return undefined;
  try {
    return calibrationSchema.parse(upgraded(JSON.parse(text)));
  } catch (cause) {
    const [issue] = cause instanceof z.ZodError ? cause.issues : [];
    throw new CheckpointError({
      code: 'E_CALIBRATION_DAMAGED',
      where: file,
      what: `it is not a calibration${issue === undefined ? '' : ` (${shownName(issue.path.join('.'))}: ${issue.message})`}`,
      fix: 'Delete it, or calibrate again',
      cause,
    });
  }
}

/**
 * Decides whether an image shows a structure.
 *
 * @param phrase - as in the prompt.
 * @param score - the detector's best score for it over all boxes, including those below the box threshold; 0 if there is none.
 */
export function presenceVerdict(
  { overall, perPhrase, targetFalsePositiveRate }: PresenceCalibration,
  phrase: string,
  score: number,
): PresenceVerdict {
  const own = Object.hasOwn(perPhrase, phrase) ? perPhrase[phrase] : undefined;
  const { threshold } = own ?? overall;
  return {
    present: score >= threshold,
    score,
    threshold,
    ownThreshold: own !== undefined,
    falsePositiveRate: targetFalsePositiveRate,
  };
}
