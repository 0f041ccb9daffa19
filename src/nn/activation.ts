import { hasNativeGelu, hasNativeRelu, nativeGelu, nativeGeluGradient, nativeReluGradient, tf } from '../backend/index.js';

/** Names as in Hugging Face configs. */
export type ActivationName = 'relu' | 'gelu';

export type Activation = <T extends tf.Tensor>(x: T) => T;

/** Exact GELU, x Φ(x), using the error function. */
export const gelu: Activation = (x) => (hasNativeGelu() ? geluByOperation(x) : portableGelu(x));

/** GELU as a single custom TensorFlow operation; the tape only keeps the input. */
export const geluByOperation: Activation = (x) => {
  const op = tf.customGrad((input, save) => {
    (save as unknown as (tensors: tf.Tensor[]) => void)([input as tf.Tensor]);
    const gradFunc = (dy: tf.Tensor, [original]: tf.Tensor[]) => nativeGeluGradient(original as tf.Tensor, dy);
    return { value: nativeGelu(input as tf.Tensor), gradFunc };
  });
  return op(x) as typeof x;
};

/** GELU composed of the backend's operations. */
export const portableGelu: Activation = (x) => tf.tidy(() => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)));

/**
 * max(x, 0) with a gradient computed from the result: the tape keeps nothing else, with three operations instead of the stock
 * nine.
 */
const relu: Activation = (x) => {
  const op = tf.customGrad((input, save) => {
    const value = tf.relu(input as tf.Tensor);
    (save as unknown as (tensors: tf.Tensor[]) => void)([value]);
    const gradFunc = (dy: tf.Tensor, [y]: tf.Tensor[]) => reluGradient(y as tf.Tensor, dy);
    return { value, gradFunc };
  });
  return op(x) as typeof x;
};

/** The gradient with respect to ReLU's input, given its result and the gradient with respect to that. */
export function reluGradient(y: tf.Tensor, dy: tf.Tensor): tf.Tensor {
  if (hasNativeRelu()) return nativeReluGradient(y, dy);
  return tf.tidy(() => tf.mul(dy, tf.cast(tf.greater(y, 0), 'float32')));
}

/** min(max(x, 0), 6), with a gradient computed from the result. */
export const relu6: Activation = (x) => {
  const op = tf.customGrad((input, save) => {
    const value = tf.relu6(input as tf.Tensor);
    (save as unknown as (tensors: tf.Tensor[]) => void)([value]);
    const gradFunc = (dy: tf.Tensor, [y]: tf.Tensor[]) =>
      tf.tidy(() => tf.mul(reluGradient(y as tf.Tensor, dy), tf.cast(tf.less(y as tf.Tensor, 6), 'float32')));
    return { value, gradFunc };
  });
  return op(x) as typeof x;
};

const activations: Record<ActivationName, Activation> = { relu, gelu };

/** Looks up an activation by name. */
export function activation(name: ActivationName): Activation {
  return activations[name];
}
