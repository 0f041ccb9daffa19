export { type FocalNetConfig, focalNetSchema } from './config.js';
export { FocalNet } from './focalnet.js';
