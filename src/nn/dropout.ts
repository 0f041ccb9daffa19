import type { tf } from '../backend/index.js';
import type { BlockMode } from './forward-context.js';

/** Zeroes elements with probability `rate` in training and scales the others by 1 / (1 - rate), preserving the mean. */
export function dropout<T extends tf.Tensor>(x: T, rate: number, { training, draws }: BlockMode): T {
  return training && rate > 0 ? draws.drop(x, rate) : x;
}

/**
 * Stochastic depth: zeroes whole samples (first axis) in training and scales the others by 1 / (1 - rate), preserving the mean.
 */
export function dropPath<T extends tf.Tensor>(x: T, rate: number, { training, draws }: BlockMode): T {
  return training && rate > 0 ? draws.drop(x, rate, x.size / (x.shape[0] ?? 1)) : x;
}
