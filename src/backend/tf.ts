/**
 * TensorFlow.js, imported only here. This is the portable package: the native binding, WebAssembly and the plain CPU backend
 * register themselves with it when {@link file://./select.ts} selects them.
 */
export * as tf from '@tensorflow/tfjs';
