export { biomedParseAuthorsKeys, biomedParseUnusedKeys } from './authors-keys.js';
export { BiomedParse, type BiomedParseOutputs } from './biomed-parse.js';
export { type BiomedParseConfig, type BiomedParseTextConfig, parseBiomedParseConfig } from './config.js';
export { biomedParseConfigFromShapes } from './config-from-shapes.js';
export type { BiomedParseImage, BiomedParseQueries } from './seem-decoder.js';
export type { BiomedParseText } from './text-encoder.js';
