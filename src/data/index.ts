export {
  type AuditPart,
  type AuditReport,
  auditDatasets,
  auditForTraining,
  openFolders,
  type TrainingAuditOptions,
  writeAuditPage,
} from './audit/index.js';
export { type AugmentChoice, type AugmentPreset, augment } from './augment.js';
export type { Augmentations } from './augmentations.js';
export { CocoDataset, type Part, writeCoco } from './coco.js';
export { ConcatDataset } from './concat.js';
export { FoldersDataset } from './folders.js';
export type { PartCounts, Problem } from './import/index.js';
export {
  adapters,
  type CopiesReport,
  findAdapter,
  type ImportOptions,
  type ImportReport,
  importDataset,
  loadPrompts,
  loadWordings,
  openSets,
  type Protocol,
  type WordingsOf,
} from './import/index.js';
export { KeptDataset, SampleStore } from './kept.js';
export { BatchLoader, type LoaderOptions, makeSample, type SampleMaker, type SampleRequest } from './loader.js';
export type { Range, StructureName } from './phantom/index.js';
export {
  generatePhantom,
  PhantomDataset,
  type PhantomDatasetOptions,
  type PhantomDomain,
  type PhantomOptions,
  phantomDomains,
} from './phantom/index.js';
export { RenameDataset } from './rename.js';
export { RepeatDataset } from './repeat.js';
export { kFolds, type Split, splitIndices } from './splits.js';
export { StuDataset } from './stu.js';
export { Subset } from './subset.js';
export type { Dataset, Sample, SampleObject, SampleSource } from './types.js';
export { vocabularyOf } from './vocabulary.js';
