export { registerBorrowedKernels } from './borrowed-kernels.js';
export {
  hasNativeDeformableAttention,
  type NativeDeformableAttentionInputs,
  nativeDeformableAttention,
  nativeDeformableAttentionGradients,
  registerNativeDeformableAttention,
} from './native-deformable-attention.js';
export { registerNativeMatMul } from './native-mat-mul.js';
export { registerUnsortedSegmentSum } from './unsorted-segment-sum.js';
export { registerWebgpuDeformableAttention } from './webgpu-deformable-attention.js';
export { repairWebgpuKernels } from './webgpu-repairs.js';
