export { BiomedClip, type BiomedClipInputs, type BiomedClipOutputs } from './biomed-clip.js';
export { type BiomedClipConfig, parseBiomedClipConfig, patchesAcross } from './config.js';
export { biomedClipConfigFromShapes } from './config-from-shapes.js';
export { biomedClipHuggingFaceKeys, biomedClipOpenClipKeys, biomedClipUnusedKeys } from './key-namings.js';
export type { BlockNorm } from './vision-block.js';
