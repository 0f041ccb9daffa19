export { type TrivialGuess, trivialGuess } from './baseline.js';
export {
  type DemoConfig,
  type DemoMetrics,
  type DemoOptions,
  type DemoResult,
  type DemoStage,
  demoSchema,
  runDemo,
} from './demo/index.js';
export { type EvaluateOptions, type Evaluation, evaluate, type Row } from './evaluate.js';
export type { FoldScore } from './experiment.js';
export { type ExperimentOptions, evaluateModels, modelsOf, type RunMetrics, runExperiment } from './experiment.js';
export type { Forgetting, ProbeScore } from './forgetting.js';
export {
  type Answer,
  type AnsweredBox,
  hasAnswers,
  MaskFolderMethod,
  type Method,
  mergeAnswers,
  WHOLE,
} from './predictions/index.js';
export type { PromptPlan } from './protocols/prompt-plan.js';
export type { DistanceUnit, TargetRow } from './protocols/row.js';
export type { DatasetSurvey } from './protocols/survey.js';
export { type ReportData, type ReportImage, writeReport } from './report.js';
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
export { type Score, type Summary, summarise } from './run-summary.js';
export type { BoxesByDataset, Comparison, Ends, MeanOfDatasets, StructureScore } from './summary/index.js';
export { type DatasetScore, type ProtocolSummary, summariseProtocol } from './summary/index.js';
export { type MethodSummary, markdownTable, scoreTable, type Table } from './tables/index.js';
export type { TrustedRow } from './trust/trust-rows.js';
