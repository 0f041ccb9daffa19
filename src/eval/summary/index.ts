export { type Comparison, compareMethods } from './comparison.js';
export type { Ends, StructureScore } from './dataset-score.js';
export { type DatasetScore, scoreRows } from './dataset-score.js';
export type { BoxesByDataset } from './protocol-summary.js';
export { type MeanOfDatasets, type ProtocolSummary, summariseProtocol } from './protocol-summary.js';
