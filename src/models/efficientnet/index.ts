export { type EfficientNetConfig, isTimmBackbone, parseEfficientNetConfig } from './config.js';
export { EfficientNet, efficientNetUnusedKeys } from './efficientnet.js';
