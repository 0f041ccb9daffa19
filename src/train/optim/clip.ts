import { CapturedFunction, tf } from '../../backend/index.js';
import type { Gradients } from '../../nn/index.js';

/** Computes the global gradient norm, for clipping. */
export class GlobalNorm {
  private readonly sum: CapturedFunction;

  /** @param capture - whether it is computed often enough to justify compiling a graph. */
  constructor(capture = false) {
    this.sum = new CapturedFunction((gradients) => {
      const flat = Object.values(gradients).map((gradient) => tf.reshape(gradient, [-1]) as tf.Tensor1D);
      return { squared: tf.sum(tf.square(tf.concat1d(flat))) };
    }, capture);
  }

  /** The Euclidean norm over all gradients. They stay the caller's. */
  async of(gradients: Gradients): Promise<number> {
    if (gradients.size === 0) return 0;
    const inputs = Object.fromEntries([...gradients.values()].map((gradient, i) => [`gradient ${i}`, gradient]));
    const { squared } = await this.sum.run(inputs);
    const [sum = 0] = await (squared as tf.Tensor).data();
    tf.dispose(squared as tf.Tensor);
    return Math.sqrt(sum);
  }

  dispose(): void {
    this.sum.dispose();
  }
}

/** Factor that reduces a gradient norm to at most `maxNorm`; a `maxNorm` of 0 disables clipping. */
export function clipScale(norm: number, maxNorm: number): number {
  return maxNorm === 0 || norm <= maxNorm ? 1 : maxNorm / norm;
}
