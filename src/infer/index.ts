export { saveAdapter } from './adapter.js';
export { adapterFolder } from './adapter-file.js';
export {
  type BatchImage,
  type BatchOptions,
  type BatchSettings,
  type BatchSummary,
  batchFolders,
  type CocoResult,
  type MergeOptions,
  type MergeSummary,
  mergeBatches,
  parseShard,
  runBatch,
  type Shard,
  shardOf,
} from './batch/index.js';
export { type Detector, GroundingDinoPredictor, type GroundingDinoPredictorOptions } from './detector.js';
export type { ExportedModels } from './exported/index.js';
export {
  type ExportForm,
  exportForms,
  graphFiles,
  isExported,
  loadExported,
  loadExportedGraphs,
  MANIFEST,
  type Manifest,
  type ManifestCheck,
  type ManifestPart,
  type ManifestSignature,
  openRunner,
  type Runner,
  readManifest,
} from './exported/index.js';
export { GroundedSegmenter, type LoadOptions, type LoadOptionsOrBoxes } from './grounded-segmenter.js';
export type { ImageFeatures, PromptableModel } from './image-predictor.js';
export { loadAdapter } from './load-adapter.js';
export {
  type AdaptedOptions,
  type DetectorParts,
  groundingDinoConfigs,
  loadDetector,
  loadGroundingDino,
  loadMasker,
  loadSam,
  loadSam2,
  loadSam2Masker,
  type MaskerParts,
  maskerConfigs,
  resolveModel,
  type Sam2Parts,
  type SamParts,
  type StartOptions,
} from './load-model.js';
export type { MaskPrompts, PointXy } from './mask-prompts.js';
export type { Masker, MaskPrediction } from './masker.js';
export { maskerOf } from './masker-of.js';
export { derivedConfig, readModelConfig } from './model-config.js';
export type { PromptAnswer, PromptedMask } from './prompt-answers.js';
export { type RawForwardOptions, rawForward } from './raw-forward.js';
export { SamImagePredictor, type SamImagePredictorOptions } from './sam-predictor.js';
export { Sam2ImagePredictor, type Sam2ImagePredictorOptions } from './sam2-predictor.js';
export { type SegmentOptions, type Selection, selections } from './segment-options.js';
export { type BoxSegment, type Segment, Segmenter, type SegmentOf } from './segmenter.js';
export { isPackaged, nanoModels, shippedModels, ultrasoundModels } from './shipped-models.js';
