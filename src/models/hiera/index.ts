export { type HieraConfig, hieraConfigSchema, parseHieraConfig } from './config.js';
export { Hiera } from './hiera.js';
export { withDefault } from './with-default.js';
