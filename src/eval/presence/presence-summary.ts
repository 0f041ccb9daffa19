import { z } from 'zod';
import { rocCurve } from '../../metrics/index.js';
import type { TargetRow } from '../../protocols/index.js';

const counts = { present: z.int(), absent: z.int(), auc: z.number().nullable() };

/** The part of a {@link PresenceSummary} stored in `metrics.json`. */
export const presenceSchema = z
  .strictObject({
    /** Prompted structures that are present and absent; area under the ROC curve, in [0, 1], null unless there are both. */
    ...counts,
    perPhrase: z.record(z.string(), z.strictObject(counts).readonly()).readonly(),
  })
  .readonly();

/** How well the detector's score separates present from absent structures. */
export interface PresenceSummary extends z.infer<typeof presenceSchema> {
  /** The ROC curve, thinned for drawing: rates in [0, 1]. */
  readonly roc: readonly { readonly falsePositiveRate: number; readonly detectionRate: number; readonly threshold: number }[];
}

/** Maximum number of points of a drawn curve. */
const DRAWN = 200;

/** Summarises the strict rows of a method with scored boxes. */
export function summarisePresence(rows: readonly TargetRow[]): PresenceSummary {
  const { points } = rocCurve(...scoresOf(rows));
  const step = Math.max(1, Math.ceil(points.length / DRAWN));
  const drawn = points.filter((_, i) => i % step === 0 || i === points.length - 1);
  return {
    ...countsOf(rows),
    roc: drawn.filter(({ falsePositiveRate, detectionRate }) => Number.isFinite(falsePositiveRate + detectionRate)),
    perPhrase: Object.fromEntries(
      [...new Set(rows.map(({ target }) => target))]
        .sort()
        .map((target) => [target, countsOf(rows.filter((row) => row.target === target))]),
    ),
  };
}

/** The scores of present and of absent structures. */
export function scoresOf(rows: readonly TargetRow[]): [present: number[], absent: number[]] {
  const pick = (shown: boolean) => rows.filter((row) => row.shown === shown).map(({ detectorScore }) => detectorScore);
  return [pick(true), pick(false)];
}

function countsOf(rows: readonly TargetRow[]) {
  const [present, absent] = scoresOf(rows);
  const { auc } = rocCurve(present, absent);
  return { present: present.length, absent: absent.length, auc: Number.isFinite(auc) ? Math.round(auc * 1e4) / 1e4 : null };
}
