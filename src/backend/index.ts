export { readableBackendError } from './backend-error.js';
export { type BackendReport, backendFacts, describeBackend } from './describe.js';
export { isTapeOn } from './gradient-tape.js';
export * from './graph/index.js';
export { handOver } from './hand-over.js';
export {
  type FusedActivation,
  hasNativeAttention,
  hasNativeDeformableAttention,
  hasNativeGelu,
  hasNativeLayerNorm,
  hasNativeLinear,
  hasNativeMlp,
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
  nativeMlp,
  withPortableKernels,
} from './kernels/index.js';
export { type NativeOps, nativeOps } from './native-ops.js';
export type { Purpose } from './order.js';
export { type LoadedSignature, loadSavedModel } from './saved-model.js';
export { type BackendName, backendNames, ensureBackend, initBackend } from './select.js';
export { largestTensorSize } from './tensor-limit.js';
export { tf } from './tf.js';
export { type AdapterReport, listAdapters } from './webgpu/index.js';
