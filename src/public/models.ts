/**
 * The models, how they are loaded, adapted and exported, and the predictors around them.
 *
 * @packageDocumentation
 */
export type { Purpose } from '../backend/index.js';
export { type ExportOptions, type ExportSource, exportModel } from '../export/index.js';
export {
  type BatchImage,
  type BatchOptions,
  type BatchSettings,
  type BatchSummary,
  type BoxSegment,
  CamDetector,
  type CamDetectorOptions,
  type CocoResult,
  type Detector,
  type ExemplarPrediction,
  type ExemplarSettings,
  type ExportedModels,
  type ExportForm,
  GroundingDinoPredictor,
  type GroundingDinoPredictorOptions,
  type ImageFeatures,
  LargestComponentMasker,
  type LoadOptions,
  type LoadOptionsOrBoxes,
  loadExported,
  loadImagePredictor,
  type Manifest,
  type MarkedPoint,
  type Masker,
  type MaskPrediction,
  type MaskPrompts,
  type MedSamOptions,
  MedSamPredictor,
  type PointMask,
  type PointMasker,
  type PointXy,
  type PromptAnswer,
  type PromptableModel,
  type PromptedMask,
  runBatch,
  SaliencyDetector,
  type SaliencyOptions,
  Sam2ImagePredictor,
  type Sam2ImagePredictorOptions,
  SamImagePredictor,
  type SamImagePredictorOptions,
  SamusPredictor,
  type Segment,
  Segmenter,
  type SegmentOf,
  type Shard,
  type SupportOptions,
  UniverSegPredictor,
} from '../infer/index.js';
export {
  applyLora,
  type LoraCount,
  type LoraReport,
  type LoraSpec,
  loraPresets,
  mergeLora,
  setAdapterScale,
} from '../lora/index.js';
export {
  type BoxEntry,
  type BuiltEntry,
  type CreateMethod,
  type CreateOptions,
  type Exemplar,
  type ExemplarEntry,
  type ExemplarMask,
  type ExemplarSegmenter,
  type LoadedMethod,
  type LoadMethodOptions,
  loadMethod,
  type MethodEntry,
  type MethodFacts,
  methodEntries,
  type PointEntry,
  type PromptKind,
  RANDOM_WEIGHTS,
  type TextEntry,
} from '../methods/index.js';
export type { BertConfig } from '../models/bert/index.js';
export {
  type BiomedClipConfig,
  type BiomedClipInputs,
  type BiomedClipOutputs,
  parseBiomedClipConfig,
} from '../models/biomed-clip/index.js';
export {
  type CellLogits,
  type DetectionLayer,
  type EncodedImage,
  type EncodedText,
  type ForwardOptions,
  type GroundingDinoConfig,
  type GroundingDinoInputs,
  type GroundingDinoOutputs,
  type ImageInputs,
  parseGroundingDinoConfig,
  type TextGeometry,
  type TextInputs,
  type VisionGeometry,
} from '../models/grounding-dino/index.js';
export type { HieraConfig } from '../models/hiera/index.js';
export {
  parseSamConfig,
  type SamConfig,
  type SamDecodeInputs,
  type SamImageFeatures,
  type SamMaskDecoderConfig,
  type SamMaskOutputs,
  type SamPromptEncoderConfig,
} from '../models/sam/index.js';
export {
  type DecodeInputs,
  type MaskDecoderConfig,
  type MaskOutputs,
  type NeckConfig,
  type PromptEncoderConfig,
  parseSam2Config,
  type Sam2Config,
  type Sam2ImageFeatures,
} from '../models/sam2/index.js';
export { parseSamusConfig, type SamusConfig, type SamusVisionConfig } from '../models/samus/index.js';
export type { SwinConfig } from '../models/swin/index.js';
export {
  type BlockWidths,
  parseUniverSegConfig,
  type UniverSegConfig,
  type UniverSegSupport,
} from '../models/universeg/index.js';
export type { VitConfig } from '../models/vit/index.js';
export {
  type ActivationName,
  type BlockMode,
  type ForwardContext,
  type Initialiser,
  inference,
  type Module,
  type Owner,
  type Parameter,
  type ParameterOptions,
  type Serializable,
  type SerializableClass,
  type Shape,
  type TensorRecord,
  type TorchLayout,
} from '../nn/index.js';
export {
  type AdaptedOptions,
  type BiomedClipParts,
  type DetectorParts,
  loadAdapter,
  loadBiomedClip,
  loadDetector,
  loadMasker,
  loadSamus,
  loadUniverSeg,
  type MaskerParts,
  type Sam2Parts,
  type SamParts,
  type SamusParts,
  saveAdapter,
  type UniverSegParts,
} from '../pretrained/index.js';
export type { Detection, ImageProcessor, ProcessedImages, Selection, SelectOptions } from '../processing/index.js';
export type { EncodedPrompt, PromptTokenizer } from '../prompts/index.js';
