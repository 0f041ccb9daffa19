export {
  type AttentionArgs,
  attend,
  mergeHeads,
  scaledDotProductAttention,
  splitHeads,
  type TokenAttentionArgs,
} from './attention.js';
export { cxcywhToXyxy, inverseSigmoid, xyxyToCxcywh } from './boxes.js';
export { type DeformableAttentionArgs, multiScaleDeformableAttention } from './deformable-attention.js';
export { type GroupAttentionArgs, groupAttention, hasGroupAttention, type TokenGroups } from './group-attention.js';
export { sinePositionEmbedding, sinusoidalEncoding } from './position-encoding.js';
export {
  type AxisWeights,
  antialiasedWeights,
  bicubicWeights,
  bilinearWeights,
  resizeAntialiased,
  resizeBicubic,
  resizeBilinear,
  resizeSeparable,
} from './resize.js';
export { windowRows } from './window-rows.js';
export { cyclicShift, joinWindows, padToMultiple, relativePositionIndex, shiftedWindowMask, splitWindows } from './windows.js';
