/** Code shared by all models. */

export * as bounds from './bounds.js';
export { type CheckpointShapes, countOf, type SizeOf, sizeReader, unclearShapes } from './checkpoint-shapes.js';
