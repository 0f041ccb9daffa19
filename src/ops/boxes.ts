import { tf } from '../backend/index.js';

/** [..., 4] centre, width, height to [..., 4] corners. */
export function cxcywhToXyxy(boxes: tf.Tensor): tf.Tensor {
  const [cx, cy, w, h] = tf.split(boxes, 4, -1) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  const [halfW, halfH] = [tf.mul(w, 0.5), tf.mul(h, 0.5)];
  return tf.concat([tf.sub(cx, halfW), tf.sub(cy, halfH), tf.add(cx, halfW), tf.add(cy, halfH)], -1);
}

/** [..., 4] corners to [..., 4] centre, width, height. */
export function xyxyToCxcywh(boxes: tf.Tensor): tf.Tensor {
  const [x0, y0, x1, y1] = tf.split(boxes, 4, -1) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  return tf.concat([tf.mul(tf.add(x0, x1), 0.5), tf.mul(tf.add(y0, y1), 0.5), tf.sub(x1, x0), tf.sub(y1, y0)], -1);
}

/** log(x / (1 - x)) with x clipped to [0, 1] and both x and 1 - x to at least `eps`, as in Deformable DETR. */
export function inverseSigmoid(x: tf.Tensor, eps = 1e-5): tf.Tensor {
  const clipped = tf.clipByValue(x, 0, 1);
  return tf.log(tf.div(tf.maximum(clipped, eps), tf.maximum(tf.sub(1, clipped), eps)));
}
