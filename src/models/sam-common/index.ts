/** Code shared by SAM and SAM 2. */

export { decoderHeads, decoderTransformer, maskDownscaling, type Renames, threeLayers, within } from './authors-keys.js';
export { ConfigChecks } from './config-checks.js';
export { FeedForward } from './feed-forward.js';
export { headsFromShapes } from './heads-from-shapes.js';
export { MaskDecoderParts } from './mask-decoder-parts.js';
export { MaskEmbedding } from './mask-embedding.js';
export { maskProducts, perPrompt, tokenAt } from './mask-products.js';
export { PositionEmbedding } from './position-embedding.js';
export { boxTokens, pointTokens, type TokenParts } from './prompt-tokens.js';
export { checkPrompts, type Prompts } from './prompts.js';
export { TwoWayTransformer } from './two-way-transformer.js';
