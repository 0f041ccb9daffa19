/** Losses, and Hungarian matching. */

export { generalizedIou, giouLoss, l1Loss } from './box-losses.js';
export { type CriterionReport, DetectionCriterion, type DetectionOutputs } from './criterion.js';
export { maskLosses, objectScoreLoss, softDiceLoss, thresholdedIou } from './mask-losses.js';
export { giouOf, matchQueries } from './matcher.js';
export type { DetectionTarget } from './target.js';
