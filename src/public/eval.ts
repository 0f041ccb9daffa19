/**
 * Evaluation by the strict and the paper's protocol.
 *
 * @packageDocumentation
 */
export {
  type BoxesByDataset,
  type Collected,
  type CollectOptions,
  type Comparison,
  type ConstantMask,
  collect,
  type DatasetScore,
  type Ends,
  type EvaluationSplit,
  type ExemplarOptions,
  type ImagePlace,
  MaskFolderMethod,
  type MeanOfDatasets,
  type MethodSummary,
  type PointWay,
  type ProtocolSummary,
  type StructureScore,
  summariseProtocol,
  type TrustedRow,
  type TruthRuns,
  type WordingRow,
  type Wordings,
} from '../eval/index.js';
export { type PresenceCalibration, type PresenceVerdict, presenceVerdict, readCalibration } from '../infer/index.js';
export type { BoxCorners, ImageBoxes, ScoredBox, TrueBox } from '../metrics/index.js';
export {
  type Answer,
  type AnsweredBox,
  type DatasetSurvey,
  type DistanceUnit,
  type Method,
  type PromptPlan,
  type SeenInTraining,
  type TargetRow,
  UNTRAINED_IMAGES,
} from '../protocols/index.js';
export {
  type EvaluateRunOptions,
  type EvaluateRunResult,
  evaluateRun,
  type MethodRequest,
  type Stage,
  type WrittenCalibration,
} from '../workflows/index.js';
