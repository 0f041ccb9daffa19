import { tf } from '../tf.js';
import { type FusedActivation, OPERATION_ACTIVATIONS } from './native-linear.js';
import { hasOperation, registerNativeOperation } from './native-operation.js';

const KERNEL = 'SonogroundThroughHidden';

/** Gives the native backend two linear maps in a row in one operation, see `native/through-hidden.cc`. */
export function registerNativeThroughHidden(): void {
  registerNativeOperation({
    name: KERNEL,
    inputs: ['x', 'expandWeight', 'expandBias', 'contractWeight', 'contractBias', 'added'],
    outputs: 1,
    attributes: { activation: 'string' },
  });
}

/** Whether the current backend has the kernel. */
export function hasNativeThroughHidden(): boolean {
  return hasOperation(KERNEL);
}

/** Inputs of {@link nativeThroughHidden}, all f32. */
export interface NativeThroughHiddenInputs {
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
 * activation(x W₁ᵀ + b₁) W₂ᵀ + b₂ + added, without a tensor of the hidden numbers; nothing is recorded for a gradient. The
 * numbers are those of two calls of `nativeLinear`.
 *
 * @returns [rows, out] f32.
 * @throws Error with TensorFlow's message if shapes do not fit each other.
 */
export function nativeThroughHidden(
  { added, ...inputs }: NativeThroughHiddenInputs,
  activation: FusedActivation = 'none',
): tf.Tensor2D {
  const attributes = { activation: OPERATION_ACTIVATIONS[activation] };
  return tf.tidy(
    () => tf.engine().runKernel(KERNEL, { ...inputs, added: added ?? tf.tensor1d([]) }, attributes) as tf.Tensor as tf.Tensor2D,
  );
}
