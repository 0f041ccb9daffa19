import type { tf } from '../tf.js';
import { type FusedActivation, registerFusedMap, runFusedMap } from './fused-map.js';
import { hasOperation } from './native-operation.js';

const KERNEL = 'SonogroundLinear';
const OF_BFLOAT16 = 'SonogroundLinearBfloat16';

/** Registers a fused linear layer (bias, activation, residual) with the native backend, see `native/linear.cc`. */
export function registerNativeLinear(): void {
  for (const name of [KERNEL, OF_BFLOAT16]) registerFusedMap(name, ['x', 'weight', 'bias']);
}

/** Whether the current backend has the kernel. */
export function hasNativeLinear(): boolean {
  return hasOperation(KERNEL);
}

/** Inputs of {@link nativeLinear}, all f32 but a packed weight. */
export interface NativeLinearInputs {
  /** [rows, in]. */
  readonly x: tf.Tensor;
  /** [out, in], or packed by `packBfloat16`: then x is rounded to bfloat16 too. */
  readonly weight: tf.Tensor;
  /** [out]. */
  readonly bias: tf.Tensor;
  /** [rows, out], residual added after the activation. Default: none. */
  readonly added?: tf.Tensor | undefined;
}

/**
 * activation(x Wᵀ + b) + added; not differentiable.
 *
 * @returns [rows, out] f32.
 * @throws Error with TensorFlow's message if shapes do not match.
 */
export function nativeLinear({ added, ...inputs }: NativeLinearInputs, activation: FusedActivation = 'none'): tf.Tensor2D {
  return runFusedMap(inputs.weight.dtype === 'int32' ? OF_BFLOAT16 : KERNEL, inputs, added, activation);
}
