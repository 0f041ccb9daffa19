import { CapturedFunction, tf } from '../../backend/index.js';
import type { Parameter } from '../../nn/index.js';
import { FlatView } from './flat.js';

/** Exponential moving average of parameters, for evaluation. */
export class Ema {
  private readonly view: FlatView;
  private readonly decay: number;
  private average: tf.Tensor1D;
  private updates = 0;
  private readonly mixed: CapturedFunction;

  /**
   * @param decay - weight of the old average in each update. Early on it is lower: (1 + n) / (10 + n).
   * @param capture - whether updates are frequent enough to justify compiling a graph.
   */
  constructor(parameters: readonly (readonly [string, Parameter])[], decay: number, capture = false) {
    const view = new FlatView(parameters);
    this.view = view;
    this.mixed = new CapturedFunction(({ average, keep, take, ...values }) => {
      const current = view.concat('value ', values);
      return { average: tf.add(tf.mul(average as tf.Tensor, keep as tf.Tensor), tf.mul(current, take as tf.Tensor)) };
    }, capture);
    this.decay = decay;
    this.average = this.view.gather((parameter) => parameter.value);
  }

  /** Adds the current values to the average. */
  async update(): Promise<void> {
    const kept = Math.min(this.decay, (1 + this.updates) / (10 + this.updates));
    const scalars = { keep: tf.scalar(kept), take: tf.scalar(1 - kept) };
    const { average } = await this.mixed.run({
      average: this.average,
      ...scalars,
      ...this.view.numbered('value ', ({ value }) => value),
    });
    tf.dispose([this.average, scalars.keep, scalars.take]);
    this.average = average as tf.Tensor1D;
    this.updates += 1;
  }

  /** Swaps the parameters' values with their average. Call again to swap back. */
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

  /** Restores a state by copying; `updates` is the number of updates before. */
  restore(state: ReadonlyMap<string, tf.Tensor>, updates: number): void {
    const restored = this.view.fromNamed(state, 'average');
    this.average.dispose();
    this.average = restored;
    this.updates = updates;
  }

  dispose(): void {
    this.average.dispose();
    this.mixed.dispose();
  }
}
