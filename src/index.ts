/** Text-prompted segmentation of ultrasound images. */
export { type BackendName, initBackend } from './backend/index.js';
export {
  type Dataset,
  FoldersDataset,
  PhantomDataset,
  phantomDomains,
  type Sample,
  type SampleObject,
  StuDataset,
} from './data/index.js';
export { evaluate, runExperiment, summarise } from './eval/index.js';
export { type ExportOptions, type ExportSource, exportModel } from './export/index.js';
export {
  type Detector,
  type ExportForm,
  GroundedSegmenter,
  GroundingDinoPredictor,
  type LoadOptions,
  loadAdapter,
  loadDetector,
  loadExported,
  loadMasker,
  type Manifest,
  type Masker,
  Sam2ImagePredictor,
  type Segment,
  saveAdapter,
} from './infer/index.js';
export { applyLora, type LoraSpec, loraPresets, mergeLora, setLoraScale } from './lora/index.js';
export { GroundingDino, type GroundingDinoConfig, parseGroundingDinoConfig } from './models/grounding-dino/index.js';
export { parseSam2Config, Sam2, type Sam2Config } from './models/sam2/index.js';
export { type BinaryMask, decodeImage, drawOverlay, encodePng, maskToPng, type RasterImage } from './processing/index.js';
export { type RunConfig, runConfigSchema, runTraining } from './train/index.js';
export * from './util/errors/index.js';
