import { mean } from '../metrics/index.js';
import { foldImages } from './image-score.js';
import type { TargetRow } from './row.js';

/** Figures common to training and evaluation. Fractions in [0, 1]; NaN without rows. */
export interface Means {
  /** Means over images, each the mean over its structures. */
  readonly dsc: number;
  readonly iou: number;
  /** Means over targets. */
  readonly boxIou: number;
  readonly dscWithGroundTruthBox: number;
}

/** Averages the rows of one method under one protocol. */
export function meansOf(rows: readonly TargetRow[]): Means {
  const counted = foldImages(rows).filter(({ counts }) => counts);
  const given = rows.flatMap(({ shown, dscWithGroundTruthBox }) =>
    shown && dscWithGroundTruthBox !== undefined ? [dscWithGroundTruthBox] : [],
  );
  return {
    dsc: mean(counted.map(({ dsc }) => dsc)),
    iou: mean(counted.map(({ iou }) => iou)),
    boxIou: mean(judgedRows(rows).map(({ boxIou }) => boxIou)),
    dscWithGroundTruthBox: mean(given),
  };
}

/** The targets that enter the means: all present ones; under the paper's protocol, without false negatives. */
export function judgedRows(rows: readonly TargetRow[]): TargetRow[] {
  return rows.filter((row) => row.shown && (row.protocol === 'strict' || !row.falseNegative));
}
