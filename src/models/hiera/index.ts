export { type HieraConfig, hieraConfigSchema, parseHieraConfig } from './config.js';
export { Hiera } from './hiera.js';
