/** Metrics of masks and boxes, and their statistics. */

export { type Agreement, agreementOf } from './agreement.js';
export { averagePrecision, type ImageBoxes, type ScoredBox, type TrueBox } from './average-precision.js';
export { bestConstantBox, bestConstantMask } from './constant-guess.js';
export { contourAccuracy } from './contour-accuracy.js';
export { distanceTransform, type Spacing } from './distance-transform.js';
export { groupedBootstrapInterval, groupedBootstrapIntervals, type Interval } from './grouped-bootstrap.js';
export type { MaskPixels } from './mask.js';
export { type MaskScores, maskScores } from './mask-scores.js';
export { type BoxCorners, boxIou, diceCoefficient, iou } from './overlap.js';
export { percent, percentOrNull, roundedOrNull } from './percent.js';
export { midranks, spearman } from './ranks.js';
export { rocCurve, thresholdForFalsePositives } from './roc.js';
export { holm, pairedBootstrap, wilcoxonSignedRank } from './significance.js';
export { mean, populationStd, quantile } from './statistics.js';
export { hausdorff95, normalisedSurfaceDistance } from './surface-distance.js';
