import { z } from 'zod';
import { rocCurve } from '../../metrics/index.js';
import type { TargetRow } from '../../protocols/index.js';

const counts = { present: z.int(), absent: z.int(), auc: z.number().nullable() };

/** What `metrics.json` keeps of a {@link PresenceSummary}. */
export const presenceSchema = z
  .strictObject({
    /** Things asked for that images show, and that they do not; the area under the ROC curve, in [0, 1], null without both kinds. */
    ...counts,
    perPhrase: z.record(z.string(), z.strictObject(counts).readonly()).readonly(),
  })
  .readonly();

/** How well the detector's score tells what an image shows from what it does not. */
export interface PresenceSummary extends z.infer<typeof presenceSchema> {
  /** The curve, thinned for drawing: shares in [0, 1]. */
  readonly roc: readonly { readonly falseAlarmRate: number; readonly detectionRate: number; readonly threshold: number }[];
}

/** Points of a curve that a drawing needs. */
const DRAWN = 200;

/** Takes the strict rows of a method whose boxes have scores. */
export function summarisePresence(rows: readonly TargetRow[]): PresenceSummary {
  const { points } = rocCurve(...scoresOf(rows));
  const step = Math.max(1, Math.ceil(points.length / DRAWN));
  const drawn = points.filter((_, i) => i % step === 0 || i === points.length - 1);
  return {
    ...countsOf(rows),
    roc: drawn.filter(({ falseAlarmRate, detectionRate }) => Number.isFinite(falseAlarmRate + detectionRate)),
    perPhrase: Object.fromEntries(
      [...new Set(rows.map(({ target }) => target))]
        .sort()
        .map((target) => [target, countsOf(rows.filter((row) => row.target === target))]),
    ),
  };
}

/** The scores of what images show, and of what they do not. */
export function scoresOf(rows: readonly TargetRow[]): [present: number[], absent: number[]] {
  const pick = (shown: boolean) => rows.filter((row) => row.shown === shown).map(({ detectorScore }) => detectorScore);
  return [pick(true), pick(false)];
}

function countsOf(rows: readonly TargetRow[]) {
  const [present, absent] = scoresOf(rows);
  const { auc } = rocCurve(present, absent);
  return { present: present.length, absent: absent.length, auc: Number.isFinite(auc) ? Math.round(auc * 1e4) / 1e4 : null };
}
