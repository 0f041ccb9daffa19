import { tf } from '../../backend/index.js';
import type { Gradients, Parameter } from '../../nn/index.js';
import { FlatView } from '../optim/index.js';
import type { Ranks } from './ranks.js';

/**
 * Sums gradients over all ranks, and frees this rank's. Parameters without a gradient count as zeros: a rank may have no image, or
 * none that reaches them.
 *
 * @param parameters - those of the run, in the same order on all ranks.
 * @returns a sum for every parameter; the tensors belong to the caller.
 */
export async function sumGradients(
  ranks: Ranks,
  parameters: readonly (readonly [string, Parameter])[],
  gradients: Gradients,
): Promise<Gradients> {
  const view = new FlatView(parameters);
  const values = await ranks.sum(async () => {
    const flat = view.gather((parameter) => gradients.get(parameter));
    tf.dispose([...gradients.values()]);
    try {
      return Float32Array.from(await flat.data<'float32'>()); // some backends return the tensor's own memory
    } finally {
      flat.dispose();
    }
  });
  const sums = tf.tidy(() => view.scatter(tf.tensor1d(values)));
  return new Map(parameters.map(([, parameter], i) => [parameter, sums[i] as tf.Tensor]));
}
