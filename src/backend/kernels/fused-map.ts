import { tf } from '../tf.js';
import { registerNativeOperation } from './native-operation.js';

/** What may follow a linear map in the same operation. */
export type FusedActivation = 'none' | 'relu' | 'gelu';

/** The operations' names for them. */
const ACTIVATIONS: Readonly<Record<FusedActivation, string>> = { none: '', relu: 'Relu', gelu: 'GeluExact' };

/** Gives the native backend an operation of linear maps: `inputs`, then what is added to the result, and an activation. */
export function registerFusedMap(name: string, inputs: readonly string[]): void {
  registerNativeOperation({ name, inputs: [...inputs, 'added'], outputs: 1, attributes: { activation: 'string' } });
}

/**
 * Runs such an operation; nothing is recorded for a gradient.
 *
 * @param added - [rows, out] f32. Default: nothing.
 * @returns [rows, out] f32.
 * @throws Error with TensorFlow's message if shapes do not fit each other.
 */
export function runFusedMap(
  name: string,
  inputs: Readonly<Record<string, tf.Tensor>>,
  added: tf.Tensor | undefined,
  activation: FusedActivation,
): tf.Tensor2D {
  return tf.tidy(() =>
    tf.engine().runKernel(name, { ...inputs, added: added ?? tf.tensor1d([]) }, { activation: ACTIVATIONS[activation] }),
  ) as tf.Tensor as tf.Tensor2D;
}
