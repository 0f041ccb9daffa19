/**
 * Training.
 *
 * @packageDocumentation
 */
export { loadConfig } from '../config/index.js';
export {
  type DataRecipe,
  type OpenedSplits,
  type RunConfig,
  type RunOptions,
  runConfigSchema,
  runTraining,
  type TrainProgress,
  type TrainResult,
} from '../train/index.js';
export {
  type ExperimentOptions,
  type Forgetting,
  type Metrics,
  type ProbeScore,
  type RunMetrics,
  runExperiment,
} from '../workflows/index.js';
