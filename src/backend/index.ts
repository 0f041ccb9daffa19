export { type BackendReport, backendFacts, describeBackend } from './describe.js';
export { handOver } from './hand-over.js';
export {
  hasNativeDeformableAttention,
  type NativeDeformableAttentionInputs,
  nativeDeformableAttention,
  nativeDeformableAttentionGradients,
} from './kernels/index.js';
export { type NativeOps, nativeOps } from './native-ops.js';
export { type BackendName, backendNames, initBackend, type Purpose } from './select.js';
export { tf } from './tf.js';
export { type AdapterReport, listAdapters } from './webgpu/index.js';
