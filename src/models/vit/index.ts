export { mapSizeOf, parseVitConfig, type VitConfig, vitConfigSchema } from './config.js';
export { MlpBlock } from './mlp-block.js';
export { Neck } from './neck.js';
export { Vit } from './vit.js';
export { VitAttention } from './vit-attention.js';
export { VitLayer } from './vit-layer.js';
