export { mapSizeOf, parseVitConfig, type VitConfig, vitConfigSchema } from './config.js';
export { MlpBlock } from './mlp-block.js';
export { Vit } from './vit.js';
