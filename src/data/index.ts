export { type AugmentChoice, type AugmentPreset, augment } from './augment.js';
export type { Augmentations } from './augmentations.js';
export { CocoDataset, type Part, writeCoco } from './coco.js';
export { FoldersDataset } from './folders.js';
export { BatchLoader, type LoaderOptions, makeSample, type SampleRequest, type SampleSource } from './loader.js';
export {
  generatePhantom,
  PhantomDataset,
  type PhantomDatasetOptions,
  type PhantomDomain,
  type PhantomOptions,
  phantomDomains,
} from './phantom/index.js';
export { kFolds, type Split, splitIndices } from './splits.js';
export { StuDataset } from './stu.js';
export { Subset } from './subset.js';
export type { Dataset, Sample, SampleObject } from './types.js';
