export { registerBorrowedKernels } from './borrowed-kernels.js';

export {
  hasNativeAttention,
  nativeAttention,
  registerNativeAttention,
} from './native-attention.js';
export type { NativeAttribute, NativeBackend } from './native-backend.js';
export { hasNativeBfloat16, packBfloat16, registerNativeBfloat16 } from './native-bfloat16.js';
export {
  hasNativeDeformableAttention,
  nativeDeformableAttention,
  nativeDeformableAttentionGradients,
  registerNativeDeformableAttention,
  unregisterNativeDeformableAttention,
} from './native-deformable-attention.js';
export { hasNativeDropout, nativeDropout, registerNativeDropout } from './native-dropout.js';
export { hasNativeGelu, nativeGelu, nativeGeluGradient, registerNativeGelu } from './native-gelu.js';
export { hasNativeLayerNorm, nativeLayerNorm, nativeLayerNormGradients, registerNativeLayerNorm } from './native-layer-norm.js';
export { hasNativeLinear, nativeLinear, registerNativeLinear } from './native-linear.js';
export { hasNativeMapAttention, nativeMapAttention, registerNativeMapAttention } from './native-map-attention.js';
export { registerNativeMatMul } from './native-mat-mul.js';
export {
  hasNativeMlp,
  nativeMlp,
  registerNativeMlp,
} from './native-mlp.js';
export { withPortableKernels } from './native-operation.js';
export { nativeProcessor, usesAmx } from './native-processor.js';
export { hasNativeRelu, nativeReluGradient, registerNativeRelu } from './native-relu.js';
export { registerUnsortedSegmentSum } from './unsorted-segment-sum.js';
export { registerWebgpuDeformableAttention } from './webgpu-deformable-attention.js';
export { repairWebgpuKernels } from './webgpu-repairs.js';
