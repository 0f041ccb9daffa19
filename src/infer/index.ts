export { loadAdapter, saveAdapter } from './adapter.js';
export { type Detector, GroundingDinoPredictor, type GroundingDinoPredictorOptions } from './detector.js';
export { GroundedSegmenter, type LoadOptions, type Segment } from './grounded-segmenter.js';
export {
  type DetectorOptions,
  type DetectorParts,
  groundingDinoConfigs,
  loadAnyMasker,
  loadDetector,
  loadGroundingDino,
  loadMasker,
  loadSam,
  loadSam2,
  type MaskerParts,
  maskerConfigs,
  type Sam2Parts,
  type SamParts,
  type StartOptions,
} from './load-model.js';
export { type Masker, type MaskPrediction, Sam2ImagePredictor, type Sam2ImagePredictorOptions } from './masker.js';
export { readModelConfig } from './model-config.js';
export { type RawForwardOptions, rawForward } from './raw-forward.js';
