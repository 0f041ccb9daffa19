export { loadConfig } from './load-config.js';
export { nearest } from './nearest.js';
