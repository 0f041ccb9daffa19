import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CheckpointError, readModelText, shownName, writeFileAtomic } from '../util/index.js';

/** The file's name, beside the weights that it was made for. */
const CALIBRATION_FILE = 'calibration.json';

const rate = z.number().min(0).max(1);
/** See {@link PresenceThreshold}. */
export const presenceThresholdSchema = z.object({
  /** Score from which a thing counts as present. */
  threshold: z.number().nonnegative(),
  /** Scores of images that do not show it, which the threshold was taken from. */
  absent: z.int().positive(),
  /** Scores of images that show it. */
  present: z.int().nonnegative(),
  /** Share of those that do not show it which reach the threshold. */
  falseAlarmRate: rate,
  /** Share of those that show it which reach the threshold; null where there was none. */
  detectionRate: rate.nullable(),
});

const calibrationSchema = z.object({
  version: z.literal(1),
  /** The false-alarm rate that was asked for. */
  targetFalseAlarmRate: rate,
  /** Where the scores came from: `val of stu, busi`. */
  source: z.string(),
  /** Digest of the models that gave the scores. */
  model: z.string(),
  /** For phrases without a threshold of their own. */
  overall: presenceThresholdSchema,
  perPhrase: z.record(z.string(), presenceThresholdSchema),
});

/** Scores from which a thing counts as present in an image, taken from images that do not show it. */
export type PresenceCalibration = z.infer<typeof calibrationSchema>;
/** One threshold and what it was taken from. */
export type PresenceThreshold = z.infer<typeof presenceThresholdSchema>;

/** Whether an image shows a thing, judged by the detector's best score for it. */
export interface PresenceVerdict {
  readonly present: boolean;
  readonly score: number;
  readonly threshold: number;
  /** Whether the threshold is the phrase's own, or the one for all. */
  readonly ownThreshold: boolean;
  /** The false-alarm rate that the threshold was chosen for. */
  readonly falseAlarmRate: number;
}

/** Puts a calibration beside the weights that it is for. */
export async function writeCalibration(dir: string, calibration: PresenceCalibration): Promise<string> {
  const file = join(dir, CALIBRATION_FILE);
  await writeFileAtomic(file, `${JSON.stringify(calibrationSchema.parse(calibration), null, 2)}\n`);
  return file;
}

/**
 * The calibration of a model or an adapter; nothing where it has none.
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
    return calibrationSchema.parse(JSON.parse(text));
  } catch (cause) {
    const [issue] = cause instanceof z.ZodError ? cause.issues : [];
    throw new CheckpointError({
      where: file,
      what: `it is not a calibration${issue === undefined ? '' : ` (${shownName(issue.path.join('.'))}: ${issue.message})`}`,
      fix: 'Delete it, or make it again: npm run eval -- --calibrate 0.05',
      cause,
    });
  }
}

/**
 * Says whether an image shows a thing.
 *
 * @param phrase - as it was asked.
 * @param score - the detector's best score for it over all boxes, those below the box threshold too; 0 where there is none.
 */
export function presenceVerdict(
  { overall, perPhrase, targetFalseAlarmRate }: PresenceCalibration,
  phrase: string,
  score: number,
): PresenceVerdict {
  const own = Object.hasOwn(perPhrase, phrase) ? perPhrase[phrase] : undefined;
  const { threshold } = own ?? overall;
  return { present: score >= threshold, score, threshold, ownThreshold: own !== undefined, falseAlarmRate: targetFalseAlarmRate };
}
