import { tf } from '../../backend/index.js';
import type { Gradients } from '../../nn/index.js';

/** Gradients of a micro-batch, whose loss was divided by `normaliser`, or by 1 where that is below 1. */
export interface MicroGradients {
  readonly gradients: Gradients;
  readonly normaliser: number;
}

/**
 * Weights that combine the losses of micro-batches, each divided by its own normaliser, into the loss of the whole batch, divided
 * by their sum.
 */
export function shares(normalisers: readonly number[]): number[] {
  const whole = wholeOf(normalisers);
  return normalisers.map((n) => Math.max(1, n) / whole);
}

/** The divisor of the loss of the whole batch. */
function wholeOf(normalisers: readonly number[]): number {
  return Math.max(
    1,
    normalisers.reduce((sum, n) => sum + n, 0),
  );
}

/**
 * Accumulates the gradients of a batch. Takes ownership of its inputs and disposes what it does not return. Micro-batches are
 * added one by one, so at most two sets of gradients are held at a time.
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

  /** The accumulated gradients of the whole batch; the tensors belong to the caller. */
  finish(): Gradients {
    return divided(this.take(), this.normalisers);
  }

  /** The sums before their division, to add those of other processes; the tensors belong to the caller. */
  take(): Gradients {
    const sums = new Map(this.sums);
    this.sums.clear();
    return sums;
  }

  /** Frees the accumulated gradients after a failure. */
  dispose(): void {
    tf.dispose([...this.sums.values()]);
    this.sums.clear();
  }
}

/** Divides the sums over micro-batches by the normaliser of the whole batch, and frees them. */
export function divided(sums: Gradients, normalisers: readonly number[]): Gradients {
  const whole = wholeOf(normalisers);
  return new Map(
    [...sums].map(([parameter, sum]) => {
      const gradient = tf.div(sum, whole);
      sum.dispose();
      return [parameter, gradient];
    }),
  );
}
