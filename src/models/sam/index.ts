export type { Prompts } from '../sam-common/index.js';
export { samAuthorsKeys, samAuthorsUnusedKeys } from './authors-keys.js';
export type { SamMaskDecoderConfig, SamPromptEncoderConfig } from './config.js';
export { parseSamConfig, type SamConfig } from './config.js';
export { samConfigFromShapes } from './config-from-shapes.js';
export type { SamMaskOutputs } from './mask-decoder.js';
export { Sam, type SamDecodeInputs, type SamImageFeatures } from './sam.js';
