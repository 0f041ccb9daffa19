import { tf } from '../../backend/index.js';
import type { Parameter } from '../../nn/index.js';
import { FlatView } from './flat.js';

/** Keeps an exponential moving average of parameters, for evaluation. */
export class Ema {
  private readonly view: FlatView;
  private readonly decay: number;
  private average: tf.Tensor1D;
  private updates = 0;

  /** @param decay - share of the old average that each update keeps. Early on less is kept: (1 + n) / (10 + n). */
  constructor(parameters: readonly (readonly [string, Parameter])[], decay: number) {
    this.view = new FlatView(parameters);
    this.decay = decay;
    this.average = this.view.gather((parameter) => parameter.value);
  }

  /** Takes the current values in. */
  update(): void {
    const keep = Math.min(this.decay, (1 + this.updates) / (10 + this.updates));
    const next = tf.tidy(() => {
      const current = this.view.gather((parameter) => parameter.value);
      return tf.add(tf.mul(this.average, keep), tf.mul(current, 1 - keep)) as tf.Tensor1D;
    });
    this.average.dispose();
    this.average = next;
    this.updates += 1;
  }

  /** Exchanges the parameters' values and their average. Call again to exchange them back. */
  swap(): void {
    const current = this.view.gather((parameter) => parameter.value);
    this.view.assign(this.average);
    this.average.dispose();
    this.average = current;
  }

  /** The average, by path. The tensors belong to the caller. */
  state(): Map<string, tf.Tensor> {
    return new Map(this.view.named(this.average, 'average'));
  }

  /** Takes a state over by copying; `updates` is how many were made before. */
  restore(state: ReadonlyMap<string, tf.Tensor>, updates: number): void {
    const restored = this.view.fromNamed(state, 'average');
    this.average.dispose();
    this.average = restored;
    this.updates = updates;
  }

  dispose(): void {
    this.average.dispose();
  }
}
