import { tf } from '../../backend/index.js';
import { resizeBilinear } from '../../ops/index.js';

/**
 * How much of each pixel a mask covers, as memories are made of it.
 *
 * @param maskLogits - [B, H, W, 1] f32.
 * @param size - height and width of the model's input.
 * @param binary - the mask as it was seen, without its doubts.
 * @returns [B, ...size, 1] f32 in [0, 1].
 */
export function maskShares(maskLogits: tf.Tensor4D, size: readonly [number, number], binary: boolean): tf.Tensor4D {
  return tf.tidy(() => {
    const large = resizeBilinear(maskLogits, [...size]);
    return (binary ? tf.cast(tf.greater(large, 0), 'float32') : tf.sigmoid(large)) as tf.Tensor4D;
  });
}
