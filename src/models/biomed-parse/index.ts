export { biomedParseAuthorsKeys, biomedParseUnusedKeys } from './authors-keys.js';
export { BiomedParse, type BiomedParseOutputs } from './biomed-parse.js';
export { type BiomedParseConfig, parseBiomedParseConfig } from './config.js';
export { biomedParseConfigFromShapes } from './config-from-shapes.js';
export type { EncodedImage } from './seem-decoder.js';
export type { EncodedText } from './text-encoder.js';
