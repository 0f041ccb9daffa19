import { tf } from '../../backend/index.js';
import type { Gradients } from '../../nn/index.js';

/** Gradients of a part of a batch, whose loss was divided by `normaliser`, or by 1 where that is below 1. */
export interface MicroGradients {
  readonly gradients: Gradients;
  readonly normaliser: number;
}

/** Weights that turn losses of parts, each divided by its own normaliser, into the loss of the whole, divided by their sum. */
export function shares(normalisers: readonly number[]): number[] {
  const whole = Math.max(
    1,
    normalisers.reduce((sum, n) => sum + n, 0),
  );
  return normalisers.map((n) => Math.max(1, n) / whole);
}

/**
 * The gradients of the whole batch. Takes the parts over and disposes what it does not return. Parts are taken one after another:
 * two sets of gradients are held at a time.
 */
export class Accumulator {
  private readonly sums: Gradients = new Map();
  private readonly normalisers: number[] = [];

  add({ gradients, normaliser }: MicroGradients): void {
    this.normalisers.push(normaliser);
    const weight = Math.max(1, normaliser);
    for (const [parameter, gradient] of gradients) {
      const sum = this.sums.get(parameter);
      this.sums.set(
        parameter,
        tf.tidy(() => (sum === undefined ? tf.mul(gradient, weight) : tf.add(sum, tf.mul(gradient, weight)))),
      );
      tf.dispose([gradient, ...(sum === undefined ? [] : [sum])]);
    }
  }

  /** What was added, as one batch; the tensors belong to the caller. */
  finish(): Gradients {
    const whole = Math.max(
      1,
      this.normalisers.reduce((sum, n) => sum + n, 0),
    );
    return new Map(
      [...this.sums].map(([parameter, sum]) => {
        const gradient = tf.div(sum, whole);
        sum.dispose();
        return [parameter, gradient];
      }),
    );
  }

  /** Frees what was added, after a failure. */
  dispose(): void {
    tf.dispose([...this.sums.values()]);
    this.sums.clear();
  }
}
