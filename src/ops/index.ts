export { type AttentionArgs, mergeHeads, scaledDotProductAttention, splitHeads } from './attention.js';
export { cxcywhToXyxy, inverseSigmoid, xyxyToCxcywh } from './boxes.js';
export { type AxisWeights, bicubicWeights, bilinearWeights, resizeBicubic, resizeBilinear, resizeSeparable } from './resize.js';
