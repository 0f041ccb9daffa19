export { registerBorrowedKernels } from './borrowed-kernels.js';
export { registerNativeMatMul } from './native-mat-mul.js';
export { registerUnsortedSegmentSum } from './unsorted-segment-sum.js';
