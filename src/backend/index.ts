export { type BackendReport, backendFacts, describeBackend } from './describe.js';
export { handOver } from './hand-over.js';
export {
  type FusedActivation,
  hasNativeAttention,
  hasNativeDeformableAttention,
  hasNativeGelu,
  hasNativeLayerNorm,
  hasNativeLinear,
  type NativeAttentionInputs,
  type NativeAttentionSizes,
  type NativeDeformableAttentionInputs,
  nativeAttention,
  nativeDeformableAttention,
  nativeDeformableAttentionGradients,
  nativeGelu,
  nativeGeluGradient,
  nativeLayerNorm,
  nativeLayerNormGradients,
  nativeLinear,
} from './kernels/index.js';
export { type NativeOps, nativeOps } from './native-ops.js';
export { isRecording } from './recording.js';
export { type BackendName, backendNames, initBackend } from './select.js';
export { tf } from './tf.js';
