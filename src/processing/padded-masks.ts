import { tf } from '../backend/index.js';
import { type AxisWeights, bilinearWeights } from '../ops/index.js';
import { assertShape } from '../util/index.js';
import type { Size } from './mask.js';

/** How an image came to lie in the upper left of what a model was shown. */
export interface PaddedImage {
  /** The image's own size. */
  readonly original: Size;
  /** Its size after resizing, before padding: {@link ProcessedImages.sizes}. */
  readonly resized: Size;
  /** Size of what the model was shown. */
  readonly padded: Size;
}

/**
 * Low-resolution mask logits on the image's own grid, as SAM's processor brings them there: enlarged to what the model was
 * shown, cut to the image, resized; bilinear with half-pixel centres both times.
 *
 * The result belongs to the caller; threshold it at 0.
 *
 * @param logits - [N, h, w] f32.
 * @returns [N, height, width] f32.
 */
export function unpadMaskLogits(logits: tf.Tensor3D, { original, resized, padded }: PaddedImage): tf.Tensor3D {
  const [n, h, w] = logits.shape;
  assertShape(logits, [n, h, w], 'unpadMaskLogits');
  return tf.tidy(() => {
    // Both steps are sums with fixed shares, and so is one after the other.
    const down = stepsInOne(h, padded.height, resized.height, original.height);
    const across = stepsInOne(w, padded.width, resized.width, original.width);
    const rows = tf.reshape(tf.transpose(logits, [1, 0, 2]), [h, n * w]) as tf.Tensor2D;
    const tall = tf.reshape(tf.matMul(down, rows), [original.height * n, w]) as tf.Tensor2D; // [H * N, w]
    const wide = tf.reshape(tf.matMul(tall, across, false, true), [original.height, n, original.width]);
    return tf.transpose(wide, [1, 0, 2]) as tf.Tensor3D;
  });
}

/** What each of `low` cells contributes to each of `original`, [original, low]. */
function stepsInOne(low: number, padded: number, resized: number, original: number): tf.Tensor2D {
  const table = (weights: AxisWeights, from: number, to: number) => tf.tensor2d(weights(from, to), [to, from]);
  return tf.tidy(() => {
    const enlarged = table(bilinearWeights, low, padded).slice([0, 0], [resized, low]);
    return tf.matMul(table(bilinearWeights, resized, original), enlarged as tf.Tensor2D);
  });
}
