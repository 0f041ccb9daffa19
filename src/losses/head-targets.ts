import { tf } from '../backend/index.js';
import type { Match } from './matcher.js';
import { type DetectionTarget, objectsIn } from './target.js';

/** A match with the IoU of its box. */
export interface MatchedBox extends Match {
  readonly iou: number;
}

/** What the loss compares the outputs of L heads with. */
export interface HeadTargets {
  /** [L, B, Q, T] f32: 1 or the IoU on the tokens of a query's matched object. */
  readonly positive: tf.Tensor4D;
  /** [1, B, 1, T] f32: 1 on tokens, 0 on padding. */
  readonly counted: tf.Tensor4D;
  /** [L B Q, 4] f32: the matched box of each query; arbitrary if unmatched. */
  readonly wanted: tf.Tensor2D;
  /** [L B Q] f32: 1 for matched queries. Weighting all boxes avoids a gather, whose gradient is slow. */
  readonly answers: tf.Tensor1D;
  /** [L] f32: divisors of the sums. */
  readonly divisors: tf.Tensor1D;
}

/**
 * Arranges the matched objects by query.
 *
 * @param logits - [L, B, Q, T], for its shape.
 * @param copies - number of queries matched to each object, by head.
 */
export function headTargets(
  copies: readonly number[],
  logits: tf.Tensor4D,
  textMask: tf.Tensor2D,
  targets: readonly DetectionTarget[],
  matches: readonly MatchedBox[][][],
  iouTargets: boolean,
): HeadTargets {
  const [l, b, q, t] = logits.shape;
  const positive = new Float32Array(l * b * q * t);
  const wanted = new Float32Array(l * b * q * 4).fill(0.5);
  const answers = new Float32Array(l * b * q);
  for (const [head, images] of matches.entries()) {
    for (const [i, target] of targets.entries()) {
      for (const { query, object, iou } of images[i] as MatchedBox[]) {
        const row = (head * b + i) * q + query;
        for (const token of target.tokens[object] as readonly number[]) positive[row * t + token] = iouTargets ? iou : 1;
        wanted.set(target.boxesCxcywh[object] as readonly [number, number, number, number], row * 4);
        answers[row] = 1;
      }
    }
  }
  const objects = objectsIn(targets);
  return {
    positive: tf.tensor4d(positive, [l, b, q, t]),
    counted: tf.reshape(tf.cast(textMask, 'float32'), [1, b, 1, t]),
    wanted: tf.tensor2d(wanted, [l * b * q, 4]),
    answers: tf.tensor1d(answers),
    // Not the number of matches: with gradient accumulation, the divisor of the whole batch must follow from its numbers of
    // objects alone.
    divisors: tf.tensor1d(copies.map((count) => objects * count)),
  };
}
