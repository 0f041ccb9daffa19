import type { tf } from '../tf.js';
import { type FusedActivation, registerFusedMap, runFusedMap } from './fused-map.js';
import { hasOperation } from './native-operation.js';

const KERNEL = 'SonogroundMlp';
const OF_BFLOAT16 = 'SonogroundMlpBfloat16';

/** Registers a fused MLP of two linear layers with the native backend, see `native/mlp.cc`. */
export function registerNativeMlp(): void {
  for (const name of [KERNEL, OF_BFLOAT16])
    registerFusedMap(name, ['x', 'expandWeight', 'expandBias', 'contractWeight', 'contractBias']);
}

/** Whether the current backend has the kernel. */
export function hasNativeMlp(): boolean {
  return hasOperation(KERNEL);
}

/** Inputs of {@link nativeMlp}, all f32 but packed weights. */
export interface NativeMlpInputs {
  /** [rows, in]. */
  readonly x: tf.Tensor;
  /** [hidden, in], or packed by `packBfloat16` if the other weight is: then x and the hidden activations are rounded too. */
  readonly expandWeight: tf.Tensor;
  /** [hidden]. */
  readonly expandBias: tf.Tensor;
  /** [out, hidden], or packed. */
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
  return runFusedMap(inputs.expandWeight.dtype === 'int32' ? OF_BFLOAT16 : KERNEL, inputs, added, activation);
}
