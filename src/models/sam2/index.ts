export { sam2AuthorsKeys, sam2AuthorsUnusedKeys } from './authors-keys.js';
export { type MaskDecoderConfig, type NeckConfig, type PromptEncoderConfig, parseSam2Config, type Sam2Config } from './config.js';
export { sam2ConfigFromShapes } from './config-from-shapes.js';
export type { MaskOutputs } from './mask-decoder.js';
export { type DecodeInputs, Sam2, type Sam2ImageFeatures } from './sam2.js';
export { sam2UnusedKeys } from './unused-keys.js';
