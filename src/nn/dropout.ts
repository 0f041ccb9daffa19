import { tf } from '../backend/index.js';
import { type Rng, sizeOf } from '../util/index.js';
import type { BlockMode } from './forward-context.js';

/** Zeroes elements with probability `rate` in training and scales the others by 1 / (1 - rate), preserving the mean. */
export function dropout<T extends tf.Tensor>(x: T, rate: number, { training, rng }: BlockMode): T {
  if (!training || rate === 0) return x;
  return tf.mul(x, keepMask(x.shape, rate, rng)) as T;
}

/**
 * Stochastic depth: zeroes whole samples (first axis) in training and scales the others by 1 / (1 - rate), preserving the mean.
 */
export function dropPath<T extends tf.Tensor>(x: T, rate: number, { training, rng }: BlockMode): T {
  if (!training || rate === 0) return x;
  return tf.mul(x, keepMask([x.shape[0] ?? 1, ...x.shape.slice(1).map(() => 1)], rate, rng)) as T;
}

function keepMask(shape: number[], rate: number, rng: Rng): tf.Tensor {
  const mask = new Float32Array(sizeOf(shape));
  const scale = rate < 1 ? 1 / (1 - rate) : 0;
  for (let i = 0; i < mask.length; i++) mask[i] = rng.uniform() < rate ? 0 : scale;
  return tf.tensor(mask, shape);
}
