/** Text-prompted segmentation of ultrasound images. */
export { type BackendName, initBackend } from './backend/index.js';
export {
  type Dataset,
  FoldersDataset,
  type ImportOptions,
  type ImportReport,
  importDataset,
  PhantomDataset,
  phantomDomains,
  type Sample,
  type SampleObject,
  StuDataset,
} from './data/index.js';
export {
  type CollectOptions,
  collect,
  type DatasetScore,
  type EvaluationSplit,
  MaskFolderMethod,
  type ProtocolSummary,
  summariseProtocol,
} from './eval/index.js';
export { type ExportOptions, type ExportSource, exportModel } from './export/index.js';
export {
  type BinaryMask,
  type CocoRle,
  type Contour,
  decodeImage,
  drawOverlay,
  encodePng,
  findContours,
  type MaskLogits,
  maskToBooleans,
  maskToPng,
  maskToPolygons,
  maskToRle,
  type RasterImage,
} from './imaging/index.js';
export {
  type BoxSegment,
  type CocoResult,
  type Detector,
  type ExportForm,
  GroundedSegmenter,
  GroundingDinoPredictor,
  type LoadOptions,
  loadExported,
  type Manifest,
  type Masker,
  type MaskPrediction,
  type MaskPrompts,
  type PresenceCalibration,
  type PresenceVerdict,
  type PromptAnswer,
  type PromptedMask,
  presenceVerdict,
  readCalibration,
  runBatch,
  Sam2ImagePredictor,
  SamImagePredictor,
  type Segment,
  type SegmentOptions,
} from './infer/index.js';
export { applyLora, type LoraSpec, loraPresets, mergeLora, setAdapterScale } from './lora/index.js';
export { GroundingDino, type GroundingDinoConfig, parseGroundingDinoConfig } from './models/grounding-dino/index.js';
export { parseSamConfig, Sam, type SamConfig } from './models/sam/index.js';
export { parseSam2Config, Sam2, type Sam2Config } from './models/sam2/index.js';
export { inference } from './nn/index.js';
export { loadAdapter, loadDetector, loadMasker, loadSam2Masker, type MaskerParts, saveAdapter } from './pretrained/index.js';
export type { Answer, AnsweredBox, Method } from './protocols/index.js';
export type * from './public-types.js';
export { type RunConfig, runConfigSchema, runTraining } from './train/index.js';
export * from './util/errors/index.js';
export { Rng } from './util/index.js';
export { type EvaluateRunOptions, type EvaluateRunResult, evaluateRun, runExperiment } from './workflows/index.js';
