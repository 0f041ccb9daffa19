export { type ImportOptions, importDataset } from './import-dataset.js';
export { openSets } from './open-sets.js';
export { loadPrompts } from './prompts.js';
export { findImporter, importers } from './registry.js';
export type { CopiesReport, ImportReport, SplitCounts } from './report.js';
export type { Problem, Protocol } from './types.js';
export { loadWordings, type WordingsOf } from './wordings.js';
