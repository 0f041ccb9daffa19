export type { Prompts } from '../sam-common/index.js';
export { parseSamConfig, type SamConfig } from './config.js';
export type { SamMaskOutputs } from './mask-decoder.js';
export { Sam, type SamDecodeInputs, type SamImageFeatures } from './sam.js';
