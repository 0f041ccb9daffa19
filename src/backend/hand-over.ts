import { tf } from './tf.js';

/**
 * Makes the backend take the values of a tensor now. The native one otherwise keeps the array they came from until the tensor
 * is first used, so that a model that was just loaded would lie in memory twice from its first pass on.
 */
export function handOver(tensor: tf.Tensor): void {
  if (tensor.rank === 0 || tensor.size === 0) return;
  // The smallest operation that reads it.
  const first = tensor.shape.map(() => 0);
  const one = tensor.shape.map(() => 1);
  tf.slice(tensor, first, one).dispose();
}
