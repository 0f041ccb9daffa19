import { tf } from '../backend/index.js';
import { sigmoidFocalLoss } from './focal.js';

/** Unweighted losses of each mask. */
export interface MaskLosses {
  /** [N] mean focal loss over pixels. */
  readonly focal: tf.Tensor1D;
  /** [N] 1 - Dice of the soft mask. */
  readonly dice: tf.Tensor1D;
  /** [N] squared error of the predicted IoU. */
  readonly iou: tf.Tensor1D;
}

/**
 * SAM's training losses.
 *
 * @param maskLogits - [N, h, w] f32.
 * @param predictedIou - [N] f32.
 * @param targets - [N, h, w] f32, 0 or 1.
 * @param trueIou - [N] f32: IoU of the thresholded mask with its target, a constant.
 * @see Kirillov et al. 2023, Segment Anything, appendix A
 */
export function maskLosses(
  maskLogits: tf.Tensor3D,
  predictedIou: tf.Tensor1D,
  targets: tf.Tensor3D,
  trueIou: tf.Tensor1D,
): MaskLosses {
  return tf.tidy(() => {
    const dice = softDiceLoss(maskLogits, targets);
    return {
      focal: tf.mean(sigmoidFocalLoss(maskLogits, targets), [1, 2]) as tf.Tensor1D,
      dice,
      iou: tf.square(tf.sub(predictedIou, trueIou)) as tf.Tensor1D,
    };
  });
}

/**
 * 1 - Dice of each soft mask, smoothed by one pixel.
 *
 * @param maskLogits - [N, h, w] f32.
 * @param targets - [N, h, w] f32, 0 or 1.
 * @returns [N].
 */
export function softDiceLoss(maskLogits: tf.Tensor3D, targets: tf.Tensor3D): tf.Tensor1D {
  return tf.tidy(() => {
    const soft = tf.sigmoid(maskLogits);
    const shared = tf.sum(tf.mul(soft, targets), [1, 2]);
    const both = tf.add(tf.sum(soft, [1, 2]), tf.sum(targets, [1, 2]));
    return tf.sub(1, tf.div(tf.add(tf.mul(shared, 2), 1), tf.add(both, 1))) as tf.Tensor1D;
  });
}

/** IoU of masks thresholded at logit 0 with their targets, [N]; not differentiable. Two empty masks count as 1. */
export function thresholdedIou(maskLogits: tf.Tensor3D, targets: tf.Tensor3D): tf.Tensor1D {
  return tf.tidy(() => {
    const hard = tf.cast(tf.greater(maskLogits, 0), 'float32');
    const shared = tf.sum(tf.mul(hard, targets), [1, 2]);
    const joined = tf.sub(tf.add(tf.sum(hard, [1, 2]), tf.sum(targets, [1, 2])), shared);
    return tf.div(tf.add(shared, 1e-6), tf.add(joined, 1e-6)) as tf.Tensor1D;
  });
}

/**
 * Cross-entropy of object scores.
 *
 * @param logits - any shape f32.
 * @param present - the same shape, 0 or 1.
 * @returns [] f32, the sum.
 * @see Ravi et al. 2024, SAM 2, appendix D.2.1
 */
export function objectScoreLoss(logits: tf.Tensor, present: tf.Tensor): tf.Scalar {
  return tf.tidy(() => tf.sum(tf.sub(tf.softplus(logits), tf.mul(logits, present))) as tf.Scalar);
}
