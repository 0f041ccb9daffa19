/** Training: configuration, tasks, the training loop, checkpoints. */

export { specOf } from './adapt.js';
export { type OptimConfig, type RunConfig, runConfigSchema } from './config.js';
export { type DataRecipe, type OpenedSplits, openRun } from './data-recipe.js';
export { openData, openFolds } from './datasets.js';
export { freeze } from './freeze.js';
export { supportsOf } from './open-task.js';
export { preflight } from './preflight.js';
export { connect, isAgreed, type Mpi, onRoot, Ranks } from './ranks/index.js';
export { type RunOptions, runTraining } from './run.js';
export { withRunLock } from './run-folder/index.js';
export { SampleThreads } from './sample-threads.js';
export {
  DetectorTask,
  ExemplarTask,
  MaskerTask,
  MemoryTask,
  SupportPool,
  type TrainTask,
  withNegatives,
  withWordings,
} from './tasks/index.js';
export { train } from './trainer.js';
export type { TrainerOptions, TrainProgress, TrainResult } from './trainer-options.js';
export { TrainingStopped } from './training-stopped.js';
