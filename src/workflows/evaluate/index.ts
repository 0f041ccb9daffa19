export type { ImagePlace } from '../../eval/index.js';
export { type Collected, type CollectOptions, collect, type EvaluationSplit } from '../../eval/index.js';
export { answerShard } from './answer-shard.js';
export { evaluateRun } from './evaluate-run.js';
export type { WrittenCalibration } from './options.js';
export { type EvaluateRunOptions, type EvaluateRunResult, paperFigures, paperTables, type Stage } from './options.js';
