/** Code shared by SAM and SAM 2. */

export { decoderHeads, decoderTransformer, maskDownscaling, type Renames, threeLayers, within } from './authors-keys.js';
export { ConfigChecks, headsFromShapes } from './config.js';
export { FeedForward, MaskDecoderParts, maskProducts, perPrompt, tokenAt } from './mask-decoder-parts.js';
export { MaskEmbedding } from './mask-embedding.js';
export { PositionEmbedding } from './position-embedding.js';
export { boxTokens, checkPrompts, type Prompts, pointTokens, type TokenParts } from './prompts.js';
export { TwoWayTransformer } from './two-way-transformer.js';
