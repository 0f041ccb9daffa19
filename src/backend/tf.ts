/**
 * TensorFlow.js, named here and nowhere else. It is the portable package: the native binding, WebAssembly and the plain
 * CPU backend register themselves under it when {@link file://./select.ts} chooses them.
 */
export * as tf from '@tensorflow/tfjs';
