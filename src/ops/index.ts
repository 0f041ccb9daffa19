/** Tensor operations shared by the models. */

export { attend, mergeHeads, scaledDotProductAttention, splitHeads } from './attention.js';
export { cxcywhToXyxy } from './boxes.js';
export { multiScaleDeformableAttention } from './deformable-attention.js';
export { groupAttention, hasGroupAttention } from './group-attention.js';
export { hasMapAttention, mapAttention, savesByMaps } from './map-attention.js';
export { sinePositionEmbedding, sinusoidalEncoding, temporalEncoding } from './position-encoding.js';
export {
  antialiasedWeights,
  bicubicWeights,
  bilinearWeights,
  resizeAntialiased,
  resizeBicubic,
  resizeBilinear,
} from './resize.js';
export { axialRotation, type Rotation, rotate } from './rotary.js';
export { roundToBfloat16 } from './round.js';
export { windowRows } from './window-rows.js';
export { cyclicShift, joinWindows, padToMultiple, relativePositionIndex, shiftedWindowMask, splitWindows } from './windows.js';
