import { tf } from '../tf.js';
import { hasOperation, registerNativeOperation } from './native-operation.js';

const FORWARD = 'SonogroundGelu';
const BACKWARD = 'SonogroundGeluGrad';

/** Registers exact GELU and its gradient with the native backend, see `native/layer-norm-gelu.cc`. */
export function registerNativeGelu(): void {
  registerNativeOperation({ name: FORWARD, inputs: ['x'], outputs: 1 });
  registerNativeOperation({ name: BACKWARD, inputs: ['x', 'gradient'], outputs: 1 });
}

/** Whether the current backend has the kernels. */
export function hasNativeGelu(): boolean {
  return hasOperation(FORWARD);
}

/** x Φ(x) for f32 of any shape; not differentiable. */
export function nativeGelu(x: tf.Tensor): tf.Tensor {
  return tf.engine().runKernel(FORWARD, { x }) as tf.Tensor;
}

/** The gradient with respect to x, given that with respect to the result; both in the shape of x. */
export function nativeGeluGradient(x: tf.Tensor, gradient: tf.Tensor): tf.Tensor {
  return tf.engine().runKernel(BACKWARD, { x, gradient }) as tf.Tensor;
}
