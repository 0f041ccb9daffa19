import { tf } from '../backend/index.js';

export interface FocalOptions {
  /** Weight of positives; negatives have weight 1 - alpha. Default: 0.25. */
  readonly alpha?: number;
  /** Focusing parameter: how strongly easy examples are down-weighted. Default: 2. */
  readonly gamma?: number;
}

/** Logits are clipped to this magnitude. */
const LARGEST = 1e4;

/**
 * Element-wise binary focal loss.
 *
 * @param logits - any shape f32. Clipped to ±10,000, so that infinite logits of excluded tokens stay harmless.
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

/**
 * Element-wise focal loss for targets between 0 and 1, least where the probability equals the target. The same as
 * {@link sigmoidFocalLoss} for targets of 0 and 1.
 *
 * @param logits - any shape f32. Clipped to ±10,000.
 * @param targets - the same shape, in [0, 1].
 * @see Li et al. 2020, "Generalized Focal Loss", equation 2
 */
export function qualityFocalLoss<T extends tf.Tensor>(logits: T, targets: T, { alpha = 0.25, gamma = 2 }: FocalOptions = {}): T {
  return tf.tidy(() => {
    const x = tf.clipByValue(logits, -LARGEST, LARGEST);
    const crossEntropy = tf.sub(tf.softplus(x), tf.mul(x, targets));
    const error = tf.abs(tf.sub(tf.sigmoid(x), targets));
    const discount = gamma === 2 ? tf.square(error) : tf.pow(error, gamma);
    const weight = tf.add(tf.mul(targets, 2 * alpha - 1), 1 - alpha);
    return tf.mul(weight, tf.mul(discount, crossEntropy)) as T;
  });
}
