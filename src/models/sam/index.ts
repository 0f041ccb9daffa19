export { samAuthorsKeys, samAuthorsUnusedKeys } from './authors-keys.js';
export { parseSamConfig, type SamConfig, type SamMaskDecoderConfig, type SamPromptEncoderConfig } from './config.js';
export { samConfigFromShapes } from './config-from-shapes.js';
export type { SamMaskOutputs } from './mask-decoder.js';
export { Sam, type SamDecodeInputs, type SamImageFeatures } from './sam.js';
