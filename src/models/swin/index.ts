export { parseSwinConfig, type SwinConfig } from './config.js';
export { Swin, swinUnusedKeys } from './swin.js';
