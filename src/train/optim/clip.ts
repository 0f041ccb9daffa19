import { tf } from '../../backend/index.js';
import type { Gradients } from '../../nn/index.js';

/**
 * Scales all gradients down together so that their global norm is at most `maxNorm` (0: leaves them), and returns the norm
 * before. The tensors in the map are replaced. A norm that is not finite leaves them as they are.
 */
export async function clipByGlobalNorm(gradients: Gradients, maxNorm: number): Promise<number> {
  const squared = tf.tidy(() => {
    const flat = [...gradients.values()].map((gradient) => gradient.reshape([-1]) as tf.Tensor1D);
    return flat.length === 0 ? tf.scalar(0) : tf.sum(tf.square(tf.concat1d(flat)));
  });
  const [sum = 0] = await squared.data();
  squared.dispose();
  const norm = Math.sqrt(sum);
  if (!Number.isFinite(norm) || maxNorm === 0 || norm <= maxNorm) return norm;
  for (const [parameter, gradient] of gradients) {
    gradients.set(parameter, tf.mul(gradient, maxNorm / norm));
    gradient.dispose();
  }
  return norm;
}
