export { type DataConfig, type OptimConfig, type RunConfig, runConfigSchema } from './config.js';
export { type DataParts, openData, openFolds } from './datasets.js';
export { DetectorTask, type DetectorTaskOptions } from './detector-task.js';
export { MaskerTask, type MaskerTaskOptions } from './masker-task.js';
export { type NegativePhrases, withNegatives } from './negatives.js';
export { preflight } from './preflight.js';
export { type RunOptions, runTraining } from './run.js';
export type { LossReport, TrainStep, TrainTask } from './task.js';
export { type TrainerOptions, type TrainProgress, type TrainResult, train } from './trainer.js';
