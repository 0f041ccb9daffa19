/** TensorFlow.js and its backends, graphs, and native kernels. Only this folder imports TensorFlow.js. */

export { readableBackendError } from './backend-error.js';
export { backendFacts, describeBackend } from './describe.js';
export { asUnderTape, isTapeOn } from './gradient-tape.js';
export {
  CapturedFunction,
  CompiledGraph,
  type ConstantValues,
  canRunGraphs,
  completeAttributes,
  DT_STRING,
  type Graph,
  type GraphNode,
  type GraphPort,
  isRecording,
  type NamedTensors,
  NotRecordable,
  needed,
  portOf,
  Recorder,
  type Saver,
  type Signature,
  savedModelMessage,
  type Trace,
  type TracedAttribute,
  type TracedConstant,
  type TracedDtype,
  type TracedEdge,
  type TracedInput,
  type TracedNode,
  type TracedOperation,
  tensorflowTypes,
  trace,
  typeAttribute,
  usedFeeds,
  type Variable,
} from './graph/index.js';
export { handOver } from './hand-over.js';
export {
  hasNativeAttention,
  hasNativeBfloat16,
  hasNativeDeformableAttention,
  hasNativeDropout,
  hasNativeGelu,
  hasNativeLayerNorm,
  hasNativeLinear,
  hasNativeMapAttention,
  hasNativeMlp,
  hasNativeRelu,
  nativeAttention,
  nativeDeformableAttention,
  nativeDeformableAttentionGradients,
  nativeDropout,
  nativeGelu,
  nativeGeluGradient,
  nativeLayerNorm,
  nativeLayerNormGradients,
  nativeLinear,
  nativeMapAttention,
  nativeMlp,
  nativeReluGradient,
  packBfloat16,
} from './kernels/index.js';
export { loadNativeObject } from './native-objects.js';
export { nativeOps } from './native-ops.js';
export type { Purpose } from './order.js';
export { type Precision, precisions } from './precision.js';
export { type LoadedSignature, loadSavedModel } from './saved-model.js';
export { type BackendName, backendNames, ensureBackend, initBackend } from './select.js';
export { largestTensorSize } from './tensor-limit.js';
export { tf } from './tf.js';
export { type AdapterReport, listAdapters } from './webgpu/index.js';
