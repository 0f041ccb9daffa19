import type { tf } from '../tf.js';
import { type FusedActivation, registerFusedMap, runFusedMap } from './fused-map.js';
import { hasOperation } from './native-operation.js';

const KERNEL = 'SonogroundLinear';

/** Gives the native backend linear maps with bias, activation and addition in one operation, see `native/linear.cc`. */
export function registerNativeLinear(): void {
  registerFusedMap(KERNEL, ['x', 'weight', 'bias']);
}

/** Whether the current backend has the kernel. */
export function hasNativeLinear(): boolean {
  return hasOperation(KERNEL);
}

/** Inputs of {@link nativeLinear}, all f32. */
export interface NativeLinearInputs {
  /** [rows, in]. */
  readonly x: tf.Tensor;
  /** [out, in]. */
  readonly weight: tf.Tensor;
  /** [out]. */
  readonly bias: tf.Tensor;
  /** [rows, out], added after the activation. Default: nothing. */
  readonly added?: tf.Tensor | undefined;
}

/**
 * activation(x Wᵀ + b) + added; nothing is recorded for a gradient.
 *
 * @returns [rows, out] f32.
 * @throws Error with TensorFlow's message if shapes do not fit each other.
 */
export function nativeLinear({ added, ...inputs }: NativeLinearInputs, activation: FusedActivation = 'none'): tf.Tensor2D {
  return runFusedMap(KERNEL, inputs, added, activation);
}
