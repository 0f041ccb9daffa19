/** Datasets: reading, importing, auditing, splitting, augmenting, and phantoms. */

export { type AuditReport, auditDatasets, auditForTraining, openFolders, writeAuditPage } from './audit/index.js';
export {
  type Augmentations,
  type AugmentChoice,
  augment,
  BackgroundDataset,
  cutBackground,
  PasteDataset,
  pasteObject,
} from './augment/index.js';
export { ClipDataset } from './clips.js';
export { CocoDataset, type LoadedAnnotations, type Split, writeCoco } from './coco.js';
export { ConcatDataset } from './concat.js';
export { type ExemplarOptions, type Exemplars, loadExemplars } from './exemplars.js';
export { FoldersDataset } from './folders.js';
export {
  type CopiesReport,
  findImporter,
  type ImportOptions,
  type ImportReport,
  importDataset,
  importers,
  loadPrompts,
  loadWordings,
  openSets,
  type Problem,
  type Protocol,
  type SplitCounts,
  type WordingsOf,
} from './import/index.js';
export { KeptDataset, SampleStore } from './kept.js';
export { BatchLoader, makeSample, type SampleMaker, type SampleRequest } from './loader.js';
export {
  type ClipObject,
  generatePhantom,
  generatePhantomClip,
  type PhantomClip,
  PhantomClipDataset,
  type PhantomClipOptions,
  PhantomDataset,
  type PhantomDatasetOptions,
  type PhantomDomain,
  phantomDomains,
  type Range,
  type StructureName,
} from './phantom/index.js';
export { RenameDataset } from './rename.js';
export { RepeatDataset } from './repeat.js';
export { sequencesIn } from './sequences.js';
export { kFolds, splitIndices } from './splits.js';
export { StuDataset } from './stu.js';
export { Subset } from './subset.js';
export type { Dataset, Sample, SampleObject, SampleSource } from './types.js';
export { vocabularyOf } from './vocabulary.js';
