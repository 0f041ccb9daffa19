/** Types that the public functions and classes take and give. */
export type { Purpose } from './backend/index.js';
export type {
  CopiesReport,
  PhantomDatasetOptions,
  PhantomDomain,
  Problem,
  Protocol,
  Range,
  SampleSource,
  Split,
  SplitCounts,
  StructureName,
} from './data/index.js';
export type {
  BoxesByDataset,
  Collected,
  Comparison,
  ConstantMask,
  Ends,
  ImagePlace,
  MeanOfDatasets,
  MethodSummary,
  StructureScore,
  TrustedRow,
  WordingRow,
  Wordings,
} from './eval/index.js';
export type { BoxXyxy, OverlayItem, Ring, Size } from './imaging/index.js';
export type {
  BatchImage,
  BatchOptions,
  BatchSettings,
  BatchSummary,
  ExportedModels,
  GroundingDinoPredictorOptions,
  ImageFeatures,
  LoadOptionsOrBoxes,
  PointXy,
  PromptableModel,
  Sam2ImagePredictorOptions,
  SamImagePredictorOptions,
  SegmentOf,
  Shard,
} from './infer/index.js';
export type { LoraCount, LoraReport } from './lora/index.js';
export type { BoxCorners, ImageBoxes, ScoredBox, TrueBox } from './metrics/index.js';
export type { BertConfig } from './models/bert/index.js';
export type {
  DetectionLayer,
  EncodedImage,
  EncodedText,
  GroundingDinoInputs,
  GroundingDinoOutputs,
  ImageInputs,
  TextGeometry,
  TextInputs,
  VisionGeometry,
} from './models/grounding-dino/index.js';
export type { HieraConfig } from './models/hiera/index.js';
export type {
  SamDecodeInputs,
  SamImageFeatures,
  SamMaskDecoderConfig,
  SamMaskOutputs,
  SamPromptEncoderConfig,
} from './models/sam/index.js';
export type {
  DecodeInputs,
  MaskDecoderConfig,
  MaskOutputs,
  NeckConfig,
  PromptEncoderConfig,
  Sam2ImageFeatures,
} from './models/sam2/index.js';
export type { SwinConfig } from './models/swin/index.js';
export type { VitConfig } from './models/vit/index.js';
export type {
  ActivationName,
  BlockMode,
  ForwardContext,
  Initialiser,
  Module,
  Owner,
  Parameter,
  ParameterOptions,
  TensorRecord,
  TorchLayout,
} from './nn/index.js';
export type { AdaptedOptions, DetectorParts, Sam2Parts, SamParts } from './pretrained/index.js';
export type { Detection, ImageProcessor, ProcessedImages, Selection, SelectOptions } from './processing/index.js';
export type { EncodedPrompt, PromptTokenizer } from './prompts/index.js';
export type { DatasetSurvey, DistanceUnit, PromptPlan, TargetRow } from './protocols/index.js';
export type { DataRecipe, OpenedSplits, RunOptions, TrainProgress, TrainResult } from './train/index.js';
export type { Logger, RngState } from './util/index.js';
export type {
  ExperimentOptions,
  Forgetting,
  Metrics,
  ProbeScore,
  RunMetrics,
  Stage,
  WrittenCalibration,
} from './workflows/index.js';
