export { groundingDinoAuthorsKeys, groundingDinoAuthorsUnusedKeys } from './authors-keys.js';
export { type GroundingDinoConfig, parseGroundingDinoConfig } from './config.js';
export { groundingDinoConfigFromShapes } from './config-from-shapes.js';
export type { DetectionLayer } from './decoder.js';
export {
  type ForwardOptions,
  GroundingDino,
  type GroundingDinoInputs,
  type GroundingDinoOutputs,
  type ImageInputs,
  type TextInputs,
} from './grounding-dino.js';
export type { EncodedImage, EncodedText } from './grounding-dino-model.js';
export {
  groundingDinoHeadPaths,
  groundingDinoTiedKeys,
  groundingDinoToHuggingFace,
  groundingDinoUnusedKeys,
  maskTextLogits,
  mmGroundingDinoSharedKeys,
} from './hugging-face.js';
export type { CellLogits } from './query-selection.js';
export type { TextGeometry } from './text-geometry.js';
export type { VisionGeometry } from './vision-geometry.js';
