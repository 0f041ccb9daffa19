export { type HieraConfig, parseHieraConfig } from './config.js';
export { Hiera } from './hiera.js';
