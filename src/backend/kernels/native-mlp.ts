import type { tf } from '../tf.js';
import { type FusedActivation, registerFusedMap, runFusedMap } from './fused-map.js';
import { hasOperation } from './native-operation.js';

const KERNEL = 'SonogroundMlp';

/** Registers a fused MLP of two linear layers with the native backend, see `native/mlp.cc`. */
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
  /** [rows, out], residual. Default: none. */
  readonly added?: tf.Tensor | undefined;
}

/**
 * activation(x W₁ᵀ + b₁) W₂ᵀ + b₂ + added, without materialising all hidden activations; not differentiable. The results equal
 * those of two calls of `nativeLinear` bit for bit.
 *
 * @returns [rows, out] f32.
 * @throws Error with TensorFlow's message if shapes do not match, or the hidden size is 0.
 */
export function nativeMlp({ added, ...inputs }: NativeMlpInputs, activation: FusedActivation = 'none'): tf.Tensor2D {
  return runFusedMap(KERNEL, inputs, added, activation);
}
