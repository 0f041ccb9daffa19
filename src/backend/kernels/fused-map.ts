import { tf } from '../tf.js';
import { registerNativeOperation } from './native-operation.js';

/** Activation that is fused into a linear map. */
export type FusedActivation = 'none' | 'relu' | 'gelu';

/** Names of the operations' activation attribute. */
const ACTIVATIONS: Readonly<Record<FusedActivation, string>> = { none: '', relu: 'Relu', gelu: 'GeluExact' };

/** Registers a fused linear operation with the native backend: `inputs`, then a residual, and an activation. */
export function registerFusedMap(name: string, inputs: readonly string[]): void {
  registerNativeOperation({ name, inputs: [...inputs, 'added'], outputs: 1, attributes: { activation: 'string' } });
}

/**
 * Runs such an operation; not differentiable.
 *
 * @param added - [rows, out] f32, residual. Default: none.
 * @returns [rows, out] f32.
 * @throws Error with TensorFlow's message if shapes do not match.
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
