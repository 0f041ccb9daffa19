export { parseSam2Config, type Sam2Config } from './config.js';
export type { MaskOutputs } from './mask-decoder.js';
export type { Prompts } from './prompt-encoder.js';
export { type DecodeInputs, Sam2, type Sam2ImageFeatures } from './sam2.js';
export { sam2UnusedKeys } from './unused-keys.js';
