import { tf } from '../backend/index.js';

/** [..., 4] centre, width, height to [..., 4] corners. */
export function cxcywhToXyxy(boxes: tf.Tensor): tf.Tensor {
  const [cx, cy, w, h] = tf.split(boxes, 4, -1) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  const [halfW, halfH] = [tf.mul(w, 0.5), tf.mul(h, 0.5)];
  return tf.concat([tf.sub(cx, halfW), tf.sub(cy, halfH), tf.add(cx, halfW), tf.add(cy, halfH)], -1);
}
