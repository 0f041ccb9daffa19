export { Bert, type BertInputs, bertUnusedKeys } from './bert.js';
export { type BertConfig, parseBertConfig } from './config.js';
