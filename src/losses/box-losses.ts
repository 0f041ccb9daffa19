import { tf } from '../backend/index.js';
import { cxcywhToXyxy } from '../ops/index.js';

/** Lower bound of divisors. */
const EPS = 1e-7;

/**
 * Generalised IoU of pairs of boxes.
 *
 * @param a - [N, 4] corners f32.
 * @param b - [N, 4] corners f32.
 * @returns [N] in (-1, 1].
 * @see Rezatofighi et al. 2019
 */
export function generalizedIou(a: tf.Tensor, b: tf.Tensor): tf.Tensor1D {
  return tf.tidy(() => {
    const [aLow, aHigh] = tf.split(a, 2, -1) as [tf.Tensor2D, tf.Tensor2D];
    const [bLow, bHigh] = tf.split(b, 2, -1) as [tf.Tensor2D, tf.Tensor2D];
    const shared = area(tf.maximum(aLow, bLow), tf.minimum(aHigh, bHigh));
    const joined = tf.sub(tf.add(area(aLow, aHigh), area(bLow, bHigh)), shared);
    const hull = area(tf.minimum(aLow, bLow), tf.maximum(aHigh, bHigh));
    const iou = tf.div(shared, tf.maximum(joined, EPS));
    return tf.sub(iou, tf.div(tf.sub(hull, joined), tf.maximum(hull, EPS))) as tf.Tensor1D;
  });
}

/** Areas of [N, 2] corner pairs; 0 if the corners are inverted. */
function area(low: tf.Tensor2D, high: tf.Tensor2D): tf.Tensor {
  const [w, h] = tf.split(tf.relu(tf.sub(high, low)), 2, -1) as [tf.Tensor, tf.Tensor];
  return tf.squeeze(tf.mul(w, h), [-1]);
}

/**
 * 1 - GIoU of pairs of boxes.
 *
 * @param predicted - [N, 4] centre and size.
 * @param target - [N, 4] centre and size.
 * @returns [N] in [0, 2).
 */
export function giouLoss(predicted: tf.Tensor, target: tf.Tensor): tf.Tensor1D {
  return tf.tidy(() => tf.sub(1, generalizedIou(cxcywhToXyxy(predicted), cxcywhToXyxy(target))) as tf.Tensor1D);
}

/** L1 distance of pairs of boxes: [N, 4] each, to [N]. */
export function l1Loss(predicted: tf.Tensor, target: tf.Tensor): tf.Tensor1D {
  return tf.tidy(() => tf.sum(tf.abs(tf.sub(predicted, target)), -1) as tf.Tensor1D);
}
