export type { Prompts } from '../sam-common/index.js';
export { parseSam2Config, type Sam2Config } from './config.js';
export type { MaskOutputs } from './mask-decoder.js';
export { type DecodeInputs, Sam2, type Sam2ImageFeatures } from './sam2.js';
export { sam2UnusedKeys } from './unused-keys.js';
