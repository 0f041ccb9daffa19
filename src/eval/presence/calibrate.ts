import type { PresenceCalibration, PresenceThreshold } from '../../infer/index.js';
import { thresholdForFalsePositives } from '../../metrics/index.js';
import type { TargetRow } from '../../protocols/index.js';
import { UsageError } from '../../util/index.js';
import { scoresOf } from './presence-summary.js';

export interface CalibrateOptions {
  /** Acceptable false positive rate over images without the structure, in [0, 1). */
  readonly falsePositiveRate: number;
  /** Description of the rows' origin. */
  readonly source: string;
  /** Hash of the models. */
  readonly model: string;
}

/**
 * Chooses thresholds from rows of validation images: one for all phrases, and one for each phrase with enough negative images for
 * the requested rate to amount to at least one image.
 *
 * @throws UsageError without negatives.
 */
export function calibratePresence(
  rows: readonly TargetRow[],
  { falsePositiveRate, source, model }: CalibrateOptions,
): PresenceCalibration {
  const [present, absent] = scoresOf(rows);
  if (absent.length === 0)
    throw new UsageError({
      code: 'E_OPTION_MISSING',
      where: '--calibrate',
      what: `no image of ${source} was asked about something that it does not show`,
      fix: 'Name things that no image shows: --negatives "prostate. kidney."',
    });
  const perPhrase: Record<string, PresenceThreshold> = {};
  const enough = Math.max(20, Math.ceil(1 / Math.max(falsePositiveRate, 1e-3)));
  for (const target of [...new Set(rows.map((row) => row.target))].sort()) {
    const [own, other] = scoresOf(rows.filter((row) => row.target === target));
    if (other.length >= enough && own.length > 0) perPhrase[target] = threshold(own, other, falsePositiveRate);
  }
  return {
    version: 2,
    targetFalsePositiveRate: falsePositiveRate,
    source,
    model,
    overall: threshold(present, absent, falsePositiveRate),
    perPhrase,
  };
}

function threshold(present: readonly number[], absent: readonly number[], rate: number): PresenceThreshold {
  const value = thresholdForFalsePositives(absent, rate);
  const share = (scores: readonly number[]) => scores.filter((score) => score >= value).length / scores.length;
  return {
    threshold: value,
    absent: absent.length,
    present: present.length,
    falsePositiveRate: share(absent),
    detectionRate: present.length > 0 ? share(present) : null,
  };
}
