export { type AveragePrecision, averagePrecision, type ImageBoxes, type ScoredBox, type TrueBox } from './average-precision.js';
export { bestConstantBox, bestConstantMask, type ConstantGuess } from './constant-guess.js';
export { distanceTransform, type Spacing } from './distance-transform.js';
export type { MaskPixels } from './mask.js';
export { type BoxCorners, boxIou, diceCoefficient, iou } from './overlap.js';
export { type BootstrapOptions, bootstrapInterval, mean, populationStd, quantile } from './statistics.js';
export { hausdorff95, normalisedSurfaceDistance, type SurfaceDistances, surfaceDistances } from './surface-distance.js';
