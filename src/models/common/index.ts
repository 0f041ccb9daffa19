/** What models of different kinds have in common. */

export * as bounds from './bounds.js';
export { type CheckpointShapes, countOf, type SizeOf, sizeReader, unclearShapes } from './checkpoint-shapes.js';
