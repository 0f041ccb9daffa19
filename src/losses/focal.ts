import { tf } from '../backend/index.js';

export interface FocalOptions {
  /** Weight of positives; negatives weigh 1 - alpha. Default: 0.25. */
  readonly alpha?: number;
  /** How strongly easy examples are discounted. Default: 2. */
  readonly gamma?: number;
}

/**
 * Focal loss of independent yes-no questions, element by element.
 *
 * @param logits - any shape f32, finite.
 * @param targets - the same shape, 0 or 1.
 * @see Lin et al. 2017
 */
export function sigmoidFocalLoss<T extends tf.Tensor>(logits: T, targets: T, { alpha = 0.25, gamma = 2 }: FocalOptions = {}): T {
  return tf.tidy(() => {
    // softplus(x) - x t is the cross-entropy; 1 - p_t = sigmoid(x (1 - 2 t)).
    const sign = tf.sub(1, tf.mul(2, targets));
    const crossEntropy = tf.softplus(tf.mul(logits, sign));
    const miss = tf.sigmoid(tf.mul(logits, sign));
    const discount = gamma === 2 ? tf.square(miss) : tf.pow(miss, gamma);
    const weight = tf.add(tf.mul(targets, 2 * alpha - 1), 1 - alpha);
    return tf.mul(weight, tf.mul(discount, crossEntropy)) as T;
  });
}
