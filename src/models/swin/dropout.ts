import { tf } from '../../backend/index.js';
import type { BlockMode } from '../../nn/index.js';

/** Zeroes elements with probability `p` in training and scales the others by 1 / (1 - p). */
export function dropout<T extends tf.Tensor>(x: T, p: number, { training, rng }: BlockMode): T {
  return training && p > 0 ? (tf.dropout(x, p, undefined, rng.uint32()) as T) : x;
}

/** Stochastic depth: zeroes whole samples with probability `p` in training and scales the others by 1 / (1 - p). */
export function dropPath(x: tf.Tensor4D, p: number, { training, rng }: BlockMode): tf.Tensor4D {
  return training && p > 0 ? (tf.dropout(x, p, [x.shape[0], 1, 1, 1], rng.uint32()) as tf.Tensor4D) : x;
}
