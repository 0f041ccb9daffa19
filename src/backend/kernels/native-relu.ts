import { tf } from '../tf.js';
import { hasOperation, registerNativeOperation } from './native-operation.js';

const KERNEL = 'SonogroundReluGrad';

/** Registers the gradient of ReLU with the native backend, see `native/relu.cc`. */
export function registerNativeRelu(): void {
  registerNativeOperation({ name: KERNEL, inputs: ['y', 'gradient'], outputs: 1 });
}

/** Whether the current backend has the kernel. */
export function hasNativeRelu(): boolean {
  return hasOperation(KERNEL);
}

/** The gradient with respect to ReLU's input, given its result and the gradient with respect to that; both of one shape. */
export function nativeReluGradient(y: tf.Tensor, gradient: tf.Tensor): tf.Tensor {
  return tf.engine().runKernel(KERNEL, { y, gradient }) as tf.Tensor;
}
