import { tf } from '../backend/index.js';

/** Splits float32's 24 significant bits after the eighth. */
const SPLIT = 2 ** 16 + 1;

/**
 * Rounds to the nearest number that bfloat16 can hold, which has 8 significant bits.
 *
 * @see Dekker 1971, A floating-point technique for extending the available precision
 */
export function roundToBfloat16<T extends tf.Tensor>(x: T): T {
  return tf.tidy(() => {
    const large = tf.mul(x, SPLIT);
    return tf.sub(large, tf.sub(large, x)) as T;
  });
}
