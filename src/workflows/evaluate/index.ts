export { answerShard } from './answer-shard.js';
export { evaluateRun } from './evaluate-run.js';
export type { MethodRequest } from './methods.js';
export { newestRun } from './newest-run.js';
export type { WrittenCalibration } from './options.js';
export { type EvaluateRunOptions, type EvaluateRunResult, paperFigures, paperTables, type Stage } from './options.js';
