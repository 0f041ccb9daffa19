import { tf } from '../backend/index.js';

/** Names as Hugging Face configs spell them. */
export type ActivationName = 'relu' | 'gelu';

export type Activation = <T extends tf.Tensor>(x: T) => T;

/** Exact GELU, x Φ(x), by the error function. */
export const gelu: Activation = (x) => tf.tidy(() => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)));

const activations: Record<ActivationName, Activation> = { relu: (x) => tf.relu(x), gelu };

/** The activation of that name. */
export function activation(name: ActivationName): Activation {
  return activations[name];
}
