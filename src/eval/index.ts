export type { DatasetSurvey, DistanceUnit, PromptPlan, TargetRow } from '../protocols/index.js';
export { type ConstantMask, type ConstantMaskPart, constantMaskBaseline } from './constant-mask.js';
export {
  type DemoConfig,
  type DemoMetrics,
  type DemoOptions,
  type DemoResult,
  type DemoStage,
  demoSchema,
  runDemo,
} from './demo/index.js';
export { type ExperimentOptions, type RunMetrics, runExperiment } from './experiment.js';
export type { Forgetting, ProbeScore } from './forgetting.js';
export { type Metrics, metricsSchema, readMetrics } from './metrics-file.js';
export { modelsOf, startOf } from './models-of-run.js';
export {
  type Answer,
  type AnsweredBox,
  hasAnswers,
  MaskFolderMethod,
  type Method,
  mergeAnswers,
  WHOLE,
} from './predictions/index.js';
export type { WordingRow } from './robustness/wording-rows.js';
export { readWordings, type Wordings } from './robustness/wordings.js';
export type { ImagePlace, WrittenCalibration } from './run/index.js';
export {
  answerShard,
  type Collected,
  type CollectOptions,
  collect,
  type EvaluateRunOptions,
  type EvaluateRunResult,
  type EvaluationPart,
  evaluateRun,
  paperFigures,
  paperTables,
  type SplitName,
  type Stage,
} from './run/index.js';
export type { BoxesByDataset, Comparison, Ends, MeanOfDatasets, StructureScore } from './summary/index.js';
export { type DatasetScore, type ProtocolSummary, summariseProtocol } from './summary/index.js';
export { meanStd, percentText } from './tables/figures.js';
export { type MethodSummary, markdownTable, scoreTable, type Table } from './tables/index.js';
export type { TrustedRow } from './trust/trust-rows.js';
