export { type AveragePrecision, averagePrecision, type ImageBoxes, type ScoredBox, type TrueBox } from './average-precision.js';
export { bestConstantBox, bestConstantMask, type ConstantGuess } from './constant-guess.js';
export { distanceTransform, type Spacing } from './distance-transform.js';
export { groupedBootstrapInterval, groupedBootstrapMeans, type Interval } from './grouped-bootstrap.js';
export type { MaskPixels } from './mask.js';
export { type MaskScores, maskScores } from './mask-scores.js';
export { type BoxCorners, boxIou, diceCoefficient, iou } from './overlap.js';
export { percent, percentOrNull, roundedOrNull } from './percent.js';
export { midranks, spearman } from './ranks.js';
export { type Roc, type RocPoint, rocCurve, thresholdForFalseAlarms } from './roc.js';
export {
  holm,
  type PairedBootstrapOptions,
  type PairedBootstrapResult,
  pairedBootstrap,
  type WilcoxonResult,
  wilcoxonSignedRank,
} from './significance.js';
export { type BootstrapOptions, bootstrapInterval, mean, populationStd, quantile } from './statistics.js';
export { hausdorff95, normalisedSurfaceDistance, type SurfaceDistances, surfaceDistances } from './surface-distance.js';
