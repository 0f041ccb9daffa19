export { generalizedIou, giouLoss, l1Loss } from './box-losses.js';
export {
  type CriterionOptions,
  type CriterionReport,
  DetectionCriterion,
  type DetectionOutputs,
  type LayerOutputs,
  type LossWeights,
} from './criterion.js';
export { type FocalOptions, sigmoidFocalLoss } from './focal.js';
export { type MaskLosses, maskLosses, thresholdedIou } from './mask-losses.js';
export { giouOf, type ImagePrediction, type Match, type MatchCosts, matchQueries } from './matcher.js';
export type { DetectionTarget } from './target.js';
