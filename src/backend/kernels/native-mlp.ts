import type { tf } from '../tf.js';
import { type FusedActivation, registerFusedMap, runFusedMap } from './fused-map.js';
import { hasOperation } from './native-operation.js';

const KERNEL = 'SonogroundMlp';

/** Gives the native backend MLPs of two linear maps in one operation, see `native/mlp.cc`. */
export function registerNativeMlp(): void {
  registerFusedMap(KERNEL, ['x', 'expandWeight', 'expandBias', 'contractWeight', 'contractBias']);
}

/** Whether the current backend has the kernel. */
export function hasNativeMlp(): boolean {
  return hasOperation(KERNEL);
}

/** Inputs of {@link nativeMlp}, all f32. */
export interface NativeMlpInputs {
  /** [rows, in]. */
  readonly x: tf.Tensor;
  /** [hidden, in]. */
  readonly expandWeight: tf.Tensor;
  /** [hidden]. */
  readonly expandBias: tf.Tensor;
  /** [out, hidden]. */
  readonly contractWeight: tf.Tensor;
  /** [out]. */
  readonly contractBias: tf.Tensor;
  /** [rows, out]. Default: nothing. */
  readonly added?: tf.Tensor | undefined;
}

/**
 * activation(x W₁ᵀ + b₁) W₂ᵀ + b₂ + added, without a tensor of all hidden numbers; nothing is recorded for a gradient. The results
 * are bit for bit those of two calls of `nativeLinear`.
 *
 * @returns [rows, out] f32.
 * @throws Error with TensorFlow's message if shapes do not fit each other, or if there are no hidden numbers.
 */
export function nativeMlp({ added, ...inputs }: NativeMlpInputs, activation: FusedActivation = 'none'): tf.Tensor2D {
  return runFusedMap(KERNEL, inputs, added, activation);
}
