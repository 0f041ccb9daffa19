export { sam2AuthorsKeys } from './authors-keys.js';
export { type MaskDecoderConfig, type NeckConfig, type PromptEncoderConfig, parseSam2Config, type Sam2Config } from './config.js';
export { sam2ConfigFromShapes } from './config-from-shapes.js';
export type { MaskOutputs } from './mask-decoder.js';
export { maskShares } from './mask-shares.js';
export { sam2MemoryKeys } from './memory-keys.js';
export { givenLogits, type ObjectCandidates, type ObjectInputs, type ObjectMemory, type ObjectOutputs } from './objects.js';
export { type DecodeInputs, Sam2, type Sam2ImageFeatures } from './sam2.js';
export { Sam2Video } from './sam2-video.js';
export {
  type MemoryAttentionConfig,
  type MemoryConfig,
  type MemoryEncoderConfig,
  type MultimaskConfig,
  parseSam2VideoConfig,
  predictsSeveral,
  type Sam2VideoConfig,
  timeRow,
} from './video-config.js';
