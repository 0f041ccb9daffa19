import { tf } from '../../backend/index.js';
import type { BlockMode } from '../../nn/index.js';

/** Zeroes elements with probability `p` and scales the others up, while training. */
export function dropout<T extends tf.Tensor>(x: T, p: number, { training, rng }: BlockMode): T {
  return training && p > 0 ? (tf.dropout(x, p, undefined, rng.uint32()) as T) : x;
}
