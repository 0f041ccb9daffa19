export { type TrivialGuess, trivialGuess } from './baseline.js';
export { type DemoOptions, type DemoResult, runDemo } from './demo.js';
export { type EvaluateOptions, type Evaluation, evaluate, type Row } from './evaluate.js';
export { type ExperimentOptions, evaluateModels, modelsOf, type RunMetrics, runExperiment } from './experiment.js';
export { union } from './masks.js';
export { type ReportData, type ReportImage, writeReport } from './report.js';
export { type Score, type Summary, summarise } from './summary.js';
