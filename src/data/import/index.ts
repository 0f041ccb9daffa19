export { type ImportOptions, importDataset } from './import-dataset.js';
export { datasetCache, openSets, type SetRequest, type SetsOptions } from './open-sets.js';
export { loadPrompts, type Prompts, phraseOf } from './prompts.js';
export { findImporter, importers } from './registry.js';
export type { CopiesReport, ImportReport, SplitCounts } from './report.js';
export type { Importer, Problem, Protocol } from './types.js';
export { loadWordings, type WordingsOf } from './wordings.js';
