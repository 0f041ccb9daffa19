/** Prediction: detector, masker and segmenter, exported models, and batches of images. */

export { askMasker, takesPoints } from './ask-masker.js';
export {
  type BatchImage,
  type BatchOptions,
  type BatchSettings,
  type BatchSummary,
  type BatchTimes,
  batchFolders,
  type CocoImages,
  type CocoResult,
  type ExemplarSettings,
  type ImageSource,
  listHash,
  mergeBatches,
  modelsIn,
  parseShard,
  type ResultsForm,
  resultsForms,
  runBatch,
  type Shard,
  type ShardTimes,
  shardOf,
  type VolumeResult,
  writeVolumes,
} from './batch/index.js';
export { type BiomedParseOptions, BiomedParsePredictor, type PhraseMask } from './biomed-parse/index.js';
export {
  type PresenceCalibration,
  type PresenceThreshold,
  type PresenceVerdict,
  presenceThresholdSchema,
  presenceVerdict,
  readCalibration,
  writeCalibration,
} from './calibration.js';
export type { ClipTracker, ClipTracking, TrackedFrame, TrackedObject, TrackerState, TrackPrompt } from './clip-tracker.js';
export {
  CarriedBoxes,
  type ClipFrame,
  type ClipOptions,
  type ClipSegment,
  type ClipSegmenter,
  type ClipSession,
  type Course,
  DetectionSession,
  DetectionTracker,
  type Direction,
  MemorySession,
  type PromptedMasker,
  runClips,
  type SessionFrame,
  type SessionSegment,
  type SessionState,
  type TrackedLoadOptions,
  type TrackedModels,
  TrackedSegmenter,
  type TrackingKind,
} from './clips/index.js';
export { createMasker } from './create-masker.js';
export { type Detector, GroundingDinoPredictor, type GroundingDinoPredictorOptions } from './detector.js';
export type { EvidenceSettings, EvidenceSummary } from './evidence/index.js';
export {
  type ExportedModels,
  ExportedTracking,
  type ExportForm,
  exportForms,
  graphFiles,
  isExported,
  loadExported,
  loadExportedGraphs,
  MANIFEST,
  type Manifest,
  type ManifestCheck,
  type ManifestMemory,
  type ManifestPart,
  type ManifestSignature,
  openRunner,
  type Runner,
  readManifest,
} from './exported/index.js';
export { GroundedSegmenter, type LoadOptions, type LoadOptionsOrBoxes } from './grounded-segmenter.js';
export type { ImageFeatures, PromptableModel } from './image-predictor.js';
export { loadClipModels, maskerWithMemory } from './load-clip-models.js';
export { loadImagePredictor } from './load-image-predictor.js';
export type { MaskPrompts, PointXy } from './mask-prompts.js';
export type { Masker, MaskPrediction, PromptAnswer, PromptedMask } from './masker.js';
export {
  CamDetector,
  type CamDetectorOptions,
  LargestComponentMasker,
  SaliencyDetector,
  type SaliencyOptions,
} from './medclip-sam/index.js';
export { type MedSamOptions, MedSamPredictor } from './medsam-predictor.js';
export type { MarkedPoint, PointMask, PointMasker } from './point-masker.js';
export { rawForward } from './raw/index.js';
export { SamImagePredictor, type SamImagePredictorOptions } from './sam-predictor.js';
export { Sam2ImagePredictor, type Sam2ImagePredictorOptions } from './sam2-predictor.js';
export { selectMemory } from './sam2-video/select-memory.js';
export { loadSam2VideoPredictor, Sam2VideoPredictor, type Sam2VideoPredictorOptions } from './sam2-video-predictor.js';
export { centreOf, SamusPredictor } from './samus-predictor.js';
export type { SegmentOptions } from './segment-options.js';
export { type BoxSegment, type Segment, Segmenter, type SegmentOf } from './segmenter.js';
export { drawSupports, type ExemplarPrediction, type SupportOptions, UniverSegPredictor } from './universeg/index.js';
