export { samusAuthorsKeys } from './authors-keys.js';
export { parseSamusConfig, type SamusConfig, type SamusVisionConfig } from './config.js';
export { samusConfigFromShapes } from './config-from-shapes.js';
export { Samus } from './samus.js';
