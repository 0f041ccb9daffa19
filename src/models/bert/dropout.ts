import { tf } from '../../backend/index.js';
import type { BlockMode } from '../../nn/index.js';

/** Zeroes elements with probability `p` in training and scales the others by 1 / (1 - p). */
export function dropout<T extends tf.Tensor>(x: T, p: number, { training, rng }: BlockMode): T {
  return training && p > 0 ? (tf.dropout(x, p, undefined, rng.uint32()) as T) : x;
}
