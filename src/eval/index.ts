export { type TrivialGuess, trivialGuess } from './baseline.js';
export { type DemoOptions, type DemoResult, runDemo } from './demo.js';
export { type EvaluateOptions, type Evaluation, evaluate, type Row } from './evaluate.js';
export { type ExperimentOptions, evaluateModels, modelsOf, type RunMetrics, runExperiment } from './experiment.js';
export {
  type Answer,
  type AnsweredBox,
  hasAnswers,
  MaskFolderMethod,
  type Method,
  mergeAnswers,
  WHOLE,
} from './predictions/index.js';
export { type ReportData, type ReportImage, writeReport } from './report.js';
export { readWordings, type Wordings } from './robustness/wordings.js';
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
export { type DatasetScore, type ProtocolSummary, summariseProtocol } from './summary/index.js';
export { type MethodSummary, markdownTable, scoreTable, type Table } from './tables/index.js';
