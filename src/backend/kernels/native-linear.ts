import { tf } from '../tf.js';
import { hasOperation, registerNativeOperation } from './native-operation.js';

const KERNEL = 'SonogroundLinear';

/** What may follow a linear map in the same operation. */
export type FusedActivation = 'none' | 'relu' | 'gelu';

/** As the operations call them. */
export const OPERATION_ACTIVATIONS: Readonly<Record<FusedActivation, string>> = { none: '', relu: 'Relu', gelu: 'GeluExact' };

/** Gives the native backend linear maps with bias, activation and what is added in one operation, see `native/linear.cc`. */
export function registerNativeLinear(): void {
  registerNativeOperation({
    name: KERNEL,
    inputs: ['x', 'weight', 'bias', 'added'],
    outputs: 1,
    attributes: { activation: 'string' },
  });
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
  const attributes = { activation: OPERATION_ACTIVATIONS[activation] };
  return tf.tidy(
    () => tf.engine().runKernel(KERNEL, { ...inputs, added: added ?? tf.tensor1d([]) }, attributes) as tf.Tensor as tf.Tensor2D,
  );
}
