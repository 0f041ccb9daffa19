export type { CocoResult } from './coco-result.js';
export { type BatchImage, type BatchOptions, type BatchSummary, runBatch } from './run-batch.js';
export type { BatchSettings } from './settings.js';
