export type { CocoImages, CocoResult } from './coco-result.js';
export { mergeBatches } from './merge-batches.js';
export { batchFolders } from './outputs.js';
export { type BatchImage, type BatchOptions, type BatchSummary, runBatch } from './run-batch.js';
export { type BatchSettings, type ExemplarSettings, modelsIn } from './settings.js';
export { parseShard, type Shard, shardOf } from './shard.js';
