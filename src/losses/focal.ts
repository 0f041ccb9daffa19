import { tf } from '../backend/index.js';

export interface FocalOptions {
  /** Weight of positives; negatives weigh 1 - alpha. Default: 0.25. */
  readonly alpha?: number;
  /** How strongly easy examples are discounted. Default: 2. */
  readonly gamma?: number;
}

/** Logits beyond this are clipped. */
const LARGEST = 1e4;

/**
 * Focal loss of independent yes-no questions, element by element.
 *
 * @param logits - any shape f32. Taken as ±10,000 beyond that, so that infinities of ruled-out answers stay harmless.
 * @param targets - the same shape, 0 or 1.
 * @see Lin et al. 2017
 */
export function sigmoidFocalLoss<T extends tf.Tensor>(logits: T, targets: T, { alpha = 0.25, gamma = 2 }: FocalOptions = {}): T {
  return tf.tidy(() => {
    // With s = 1 - 2 t the cross-entropy is softplus(s x), and 1 - p_t is sigmoid(s x).
    const wrongness = tf.mul(tf.clipByValue(logits, -LARGEST, LARGEST), tf.sub(1, tf.mul(2, targets)));
    const crossEntropy = tf.softplus(wrongness);
    const miss = tf.sigmoid(wrongness);
    const discount = gamma === 2 ? tf.square(miss) : tf.pow(miss, gamma);
    const weight = tf.add(tf.mul(targets, 2 * alpha - 1), 1 - alpha);
    return tf.mul(weight, tf.mul(discount, crossEntropy)) as T;
  });
}
