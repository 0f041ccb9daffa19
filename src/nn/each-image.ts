import { hasNativeLinear, tf } from '../backend/index.js';

/**
 * Applies a convolution to each image of a batch by itself on the native backend. TensorFlow's own convolution divides its sums
 * differently for another number of images, so that the last digits of an image's result would depend on the images beside it, and
 * training shared by several processes would take the other side of a ReLU or of a sampled cell now and then.
 *
 * @param x - [B, H, W, in] f32.
 * @returns [B, H', W', out] f32.
 */
export function eachImage(x: tf.Tensor4D, convolution: (images: tf.Tensor4D) => tf.Tensor4D): tf.Tensor4D {
  const [batch] = x.shape;
  if (batch <= 1 || !hasNativeLinear()) return convolution(x);
  return tf.tidy(() => tf.concat(tf.split(x, batch).map((image) => convolution(image as tf.Tensor4D))));
}
