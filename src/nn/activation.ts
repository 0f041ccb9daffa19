import { hasNativeGelu, nativeGelu, nativeGeluGradient, tf } from '../backend/index.js';

/** Names as Hugging Face configs spell them. */
export type ActivationName = 'relu' | 'gelu';

export type Activation = <T extends tf.Tensor>(x: T) => T;

/** Exact GELU, x Φ(x), by the error function. */
export const gelu: Activation = (x) => (hasNativeGelu() ? geluByOperation(x) : portableGelu(x));

/** GELU by the project's own TensorFlow operation, in one pass; a tape keeps nothing but the input. */
export const geluByOperation: Activation = (x) => {
  const op = tf.customGrad((input, save) => {
    (save as unknown as (tensors: tf.Tensor[]) => void)([input as tf.Tensor]);
    const gradFunc = (dy: tf.Tensor, [original]: tf.Tensor[]) => nativeGeluGradient(original as tf.Tensor, dy);
    return { value: nativeGelu(input as tf.Tensor), gradFunc };
  });
  return op(x) as typeof x;
};

/** GELU of the backend's own operations. */
export const portableGelu: Activation = (x) => tf.tidy(() => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)));

/** max(x, 0), whose gradient reads the result: a tape keeps nothing else, and three operations do for the stock nine. */
const relu: Activation = (x) => {
  const op = tf.customGrad((input, save) => {
    const value = tf.relu(input as tf.Tensor);
    (save as unknown as (tensors: tf.Tensor[]) => void)([value]);
    const gradFunc = (dy: tf.Tensor, [y]: tf.Tensor[]) => tf.mul(dy, tf.cast(tf.greater(y as tf.Tensor, 0), 'float32'));
    return { value, gradFunc };
  });
  return op(x) as typeof x;
};

const activations: Record<ActivationName, Activation> = { relu, gelu };

/** The activation of that name. */
export function activation(name: ActivationName): Activation {
  return activations[name];
}
