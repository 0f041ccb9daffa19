export { registerNativeMatMul } from './native-mat-mul.js';
