export { assertShape, sizeOf } from './assert-shape.js';
export * from './errors/index.js';
export { modelPath, readModelFile, readModelText } from './files.js';
export { type Logger, silentLogger } from './logger.js';
export { nearest } from './nearest.js';
export { compilePattern, matchesPattern } from './path-pattern.js';
export { Rng, type RngState } from './rng.js';
export { withDefault } from './with-default.js';
export { readableFileError, writeFileAtomic } from './write-file-atomic.js';
