export { loadAdapter, saveAdapter } from './adapter.js';
export { type Detector, GroundingDinoPredictor, type GroundingDinoPredictorOptions } from './detector.js';
export {
  type ExportForm,
  exportForms,
  isExported,
  loadExported,
  MANIFEST,
  type Manifest,
  type ManifestCheck,
  type ManifestPart,
  type ManifestSignature,
  openRunner,
  type Runner,
  readManifest,
} from './exported/index.js';
export { GroundedSegmenter, type LoadOptions, type Segment } from './grounded-segmenter.js';
export {
  type DetectorOptions,
  type DetectorParts,
  groundingDinoConfigs,
  loadDetector,
  loadGroundingDino,
  loadMasker,
  loadSam2,
  type MaskerParts,
  readModelConfig,
  resolveModel,
  type StartOptions,
} from './load-model.js';
export { type Masker, type MaskPrediction, Sam2ImagePredictor, type Sam2ImagePredictorOptions } from './masker.js';
export { type RawForwardOptions, rawForward } from './raw-forward.js';
