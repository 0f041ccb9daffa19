import { tf } from '../../backend/index.js';
import type { MaskDecoderConfig } from './config.js';

/**
 * Selects one mask per prompt: the first, unless its outline moves too much with the threshold; then the alternative with the
 * highest predicted IoU.
 *
 * @param masks - [B, N, 1 + M, h, w] f32 logits: the single mask, then the alternatives.
 * @param scores - [B, N, 1 + M] f32.
 * @see SAM 2, `_dynamic_multimask_via_stability`
 */
export function selectStable(
  masks: tf.Tensor5D,
  scores: tf.Tensor3D,
  { dynamicMultimaskStabilityDelta: delta, dynamicMultimaskStabilityThresh: threshold, numMultimaskOutputs }: MaskDecoderConfig,
): { predMasks: tf.Tensor5D; iouScores: tf.Tensor3D } {
  return tf.tidy(() => {
    const [b, n, all] = scores.shape;
    const alternatives = scores.slice([0, 0, 1], [b, n, numMultimaskOutputs]);
    const best = tf.add(tf.argMax(alternatives, -1), tf.scalar(1, 'int32')); // [B, N]
    const stable = tf.greaterEqual(stability(masks, delta), threshold); // [B, N]
    const chosen = tf.where(stable, tf.zerosLike(best), best);
    const pick = tf.cast(tf.oneHot(chosen as tf.Tensor1D, all), 'bool'); // [B, N, 1 + M]
    const weight = pick.reshape([b, n, all, 1, 1]);
    // Not a product: an infinite alternative must not turn the selected one into NaN.
    const masked = tf.where(tf.logicalAnd(weight, tf.onesLike(masks).cast('bool')), masks, tf.zerosLike(masks));
    return {
      predMasks: tf.sum(masked, 2, true) as tf.Tensor5D,
      iouScores: tf.sum(tf.where(pick, scores, tf.zerosLike(scores)), 2, true) as tf.Tensor3D,
    };
  });
}

/** Stability score: IoU of the first mask at a higher and a lower threshold; 1 if both are empty. [B, N] */
function stability(masks: tf.Tensor5D, delta: number): tf.Tensor {
  const [b, n, , h, w] = masks.shape;
  const first = masks.slice([0, 0, 0, 0, 0], [b, n, 1, h, w]).reshape([b, n, h * w]);
  const area = (threshold: number) => tf.sum(tf.cast(tf.greater(first, threshold), 'float32'), -1);
  const inner = area(delta);
  const outer = area(-delta);
  return tf.where(tf.greater(outer, 0), tf.div(inner, tf.maximum(outer, 1)), tf.onesLike(outer));
}
