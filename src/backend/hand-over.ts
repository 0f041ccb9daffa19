import { tf } from './tf.js';

/**
 * Makes the backend upload a tensor's values immediately. Otherwise the native backend keeps the source array until the tensor's
 * first use, so that a freshly loaded model would be in memory twice from its first forward pass on.
 */
export function handOver(tensor: tf.Tensor): void {
  if (tensor.rank === 0 || tensor.size === 0) return;
  // The cheapest operation that reads it.
  const first = tensor.shape.map(() => 0);
  const one = tensor.shape.map(() => 1);
  tf.slice(tensor, first, one).dispose();
}
