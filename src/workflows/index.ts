/** Commands from end to end: training with its test, evaluation, the demo. */

export { type DemoConfig, type DemoMetrics, type DemoResult, type DemoStage, demoSchema, runDemo } from './demo/index.js';
export { fetchStudy, StudyJournal, storeResults } from './dicomweb/index.js';
export {
  answerShard,
  type EvaluateRunOptions,
  type EvaluateRunResult,
  evaluateRun,
  type MethodRequest,
  newestRun,
  paperFigures,
  paperTables,
  type Stage,
  type WrittenCalibration,
} from './evaluate/index.js';
export { CLIP_PHANTOMS, evaluateClips, openClipSets } from './evaluate-clips/index.js';
export { type Metrics, readMetrics } from './metrics-file.js';
export { modelsFor } from './models-for.js';
export { selectStartingModels, selectTrainedModels } from './models-of-run.js';
export type { Forgetting, ProbeScore } from './train/forgetting.js';
export { type ExperimentOptions, type RunMetrics, runExperiment } from './train/train-and-test.js';
