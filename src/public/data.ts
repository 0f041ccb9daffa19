/**
 * Datasets: opening, importing, phantoms. Loads no TensorFlow.js.
 *
 * @packageDocumentation
 */
export {
  CocoDataset,
  type CopiesReport,
  type Dataset,
  type ExemplarOptions,
  type Exemplars,
  FoldersDataset,
  type ImportOptions,
  type ImportReport,
  importDataset,
  type LoadedAnnotations,
  loadExemplars,
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
