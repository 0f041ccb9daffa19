import { tf } from '../../src/backend/index.js';
import { relativeError } from './compare.js';

/**
 * The relative error of the gradient of `fn` at `inputs` (float32) against central differences. The scalar is a weighted sum
 * of the output, with fixed weights that are neither equal nor symmetric.
 *
 * @param step - half the width of the difference. Default: 1e-2, where float32 rounding and curvature are both small.
 */
export async function gradientError(
  fn: (...inputs: tf.Tensor[]) => tf.Tensor,
  inputs: readonly tf.Tensor[],
  step = 1e-2,
): Promise<number> {
  const scalar = (...xs: tf.Tensor[]): tf.Scalar =>
    tf.tidy(() => {
      const y = fn(...xs);
      const weights = tf.tensor(
        Float32Array.from({ length: y.size }, (_, i) => Math.sin(1 + 1.7 * i)),
        y.shape,
      );
      return tf.sum(tf.mul(y, weights)) as tf.Scalar;
    });
  const gradients = tf.grads(scalar)([...inputs]);
  let worst = 0;
  for (const [k, input] of inputs.entries()) {
    const values = Float32Array.from(await input.data());
    const numeric = new Float32Array(values.length);
    for (let i = 0; i < values.length; i++) {
      const [up = 0, down = 0] = await Promise.all(
        [step, -step].map(async (delta) => {
          const moved = Float32Array.from(values);
          moved[i] = (moved[i] as number) + delta;
          const x = tf.tensor(moved, input.shape);
          const y = scalar(...inputs.map((other, j) => (j === k ? x : other)));
          const [value] = await y.data();
          tf.dispose([x, y]);
          return value as number;
        }),
      );
      numeric[i] = (up - down) / (2 * step);
    }
    const gradient = gradients[k] as tf.Tensor;
    worst = Math.max(worst, relativeError(await gradient.data(), numeric));
    gradient.dispose();
  }
  return worst;
}
