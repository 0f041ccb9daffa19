/** Training: configuration, tasks, the training loop, checkpoints. */

export { specOf } from './adapt.js';
export { type OptimConfig, type RunConfig, runConfigSchema } from './config.js';
export { type DataRecipe, type OpenedSplits, openRun } from './data-recipe.js';
export { openData, openFolds } from './datasets.js';
export { DetectorTask } from './detector-task.js';
export { ExemplarTask } from './exemplar-task.js';
export { freeze } from './freeze.js';
export { MaskerTask } from './masker-task.js';
export { MemoryTask } from './memory-task.js';
export { withNegatives } from './negatives.js';
export { preflight } from './preflight.js';
export { connect, isAgreed, type Mpi, onRoot, Ranks } from './ranks/index.js';
export { type RunOptions, runTraining, supportsOf } from './run.js';
export { withRunLock } from './run-folder.js';
export { SampleThreads } from './sample-threads.js';
export { SupportPool } from './support-pool.js';
export type { TrainTask } from './task.js';
export { train } from './trainer.js';
export type { TrainerOptions, TrainProgress, TrainResult } from './trainer-options.js';
export { TrainingStopped } from './training-stopped.js';
export { withWordings } from './wordings.js';
