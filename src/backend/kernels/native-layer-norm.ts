import { tf } from '../tf.js';
import { hasOperation, registerNativeOperation } from './native-operation.js';

const FORWARD = 'SonogroundLayerNorm';
const BACKWARD = 'SonogroundLayerNormGrad';

/** Registers layer normalisation and its gradient with the native backend, see `native/layer-norm-gelu.cc`. */
export function registerNativeLayerNorm(): void {
  const attributes = { epsilon: 'float' } as const;
  registerNativeOperation({ name: FORWARD, inputs: ['x', 'weight', 'bias'], outputs: 1, attributes });
  registerNativeOperation({ name: BACKWARD, inputs: ['x', 'weight', 'gradient'], outputs: 3, attributes });
}

/** Whether the current backend has the kernels. */
export function hasNativeLayerNorm(): boolean {
  return hasOperation(FORWARD);
}

/**
 * Normalises the last axis; not differentiable.
 *
 * @param x - [..., C] f32; weight and bias [C] f32.
 * @returns the shape of `x`.
 * @throws Error with TensorFlow's message if shapes do not match.
 */
export function nativeLayerNorm(x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor, epsilon: number): tf.Tensor {
  return tf.engine().runKernel(FORWARD, { x, weight, bias }, { epsilon }) as tf.Tensor;
}

/** @returns the gradients with respect to x, weight and bias, in their shapes, given that with respect to the result. */
export function nativeLayerNormGradients(
  x: tf.Tensor,
  weight: tf.Tensor,
  gradient: tf.Tensor,
  epsilon: number,
): [tf.Tensor, tf.Tensor, tf.Tensor] {
  const gradients = tf.engine().runKernel(BACKWARD, { x, weight, gradient }, { epsilon });
  return gradients as unknown as [tf.Tensor, tf.Tensor, tf.Tensor];
}
