export { answerShard } from './answer-shard.js';
export type { ImagePlace } from './collect.js';
export { type Collected, type CollectOptions, collect, type EvaluationPart } from './collect.js';
export { evaluateRun } from './evaluate-run.js';
export type { WrittenCalibration } from './options.js';
export { type EvaluateRunOptions, type EvaluateRunResult, paperFigures, paperTables, type Stage } from './options.js';
export type { SplitName } from './run-parts.js';
