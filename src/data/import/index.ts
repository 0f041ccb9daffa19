export { type ImportOptions, importDataset } from './import-dataset.js';
export { openSets } from './open-sets.js';
export { loadPrompts } from './prompts.js';
export { adapters, findAdapter } from './registry.js';
export type { CopiesReport, ImportReport, PartCounts } from './report.js';
export type { Problem, Protocol } from './types.js';
export { loadWordings, type WordingsOf } from './wordings.js';
