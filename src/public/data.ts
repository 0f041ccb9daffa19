/**
 * Datasets: opening, importing, phantoms. Loads no TensorFlow.js.
 *
 * @packageDocumentation
 */
export {
  type ClipObject,
  CocoDataset,
  type CopiesReport,
  type Dataset,
  type ExemplarOptions,
  type Exemplars,
  FoldersDataset,
  generatePhantomClip,
  type ImportOptions,
  type ImportReport,
  importDataset,
  type LoadedAnnotations,
  loadExemplars,
  type PhantomClip,
  type PhantomClipOptions,
  PhantomDataset,
  type PhantomDatasetOptions,
  type PhantomDomain,
  type Problem,
  type Protocol,
  phantomDomains,
  type Range,
  type Sample,
  type SampleObject,
  type SampleSource,
  type Split,
  type SplitCounts,
  type StructureName,
  StuDataset,
} from '../data/index.js';
export { type Logger, Rng, type RngState } from '../util/index.js';
