import { tf } from '../../backend/index.js';
import type { Gradients, Parameter } from '../../nn/index.js';
import { FlatView } from './flat.js';

/** Parameters that share their settings. */
export interface ParameterGroup {
  readonly name: string;
  /** Each with its path. */
  readonly parameters: readonly (readonly [string, Parameter])[];
  /** Multiplies the learning rate. Default: 1. */
  readonly lrScale?: number;
  /** Default: the optimiser's. */
  readonly weightDecay?: number;
}

export interface AdamWOptions {
  /** Default: [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Default: 1e-8. */
  readonly eps?: number;
  /** Default: 0.01. */
  readonly weightDecay?: number;
}

interface GroupState {
  readonly view: FlatView;
  readonly lrScale: number;
  readonly weightDecay: number;
  /** Running mean of the gradient and of its square, [size]. */
  mean: tf.Tensor1D;
  square: tf.Tensor1D;
}

/**
 * Adam with decoupled weight decay, as `torch.optim.AdamW` computes it. Moments are kept as one vector a group. A parameter
 * without a gradient counts as one with a gradient of zero (torch would leave it untouched, without even decay).
 *
 * @see Loshchilov and Hutter 2019
 */
export class AdamW {
  private readonly groups: readonly GroupState[];
  private readonly betas: readonly [number, number];
  private readonly eps: number;
  private steps = 0;

  /** @throws RangeError when two groups, or one twice, hold the same parameter. */
  constructor(groups: readonly ParameterGroup[], { betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0.01 }: AdamWOptions = {}) {
    this.betas = betas;
    this.eps = eps;
    assertDistinct(groups);
    this.groups = groups.map((group) => {
      const view = new FlatView(group.parameters);
      const [mean, square] = [tf.zeros<tf.Rank.R1>([view.size]), tf.zeros<tf.Rank.R1>([view.size])];
      return { view, lrScale: group.lrScale ?? 1, weightDecay: group.weightDecay ?? weightDecay, mean, square };
    });
  }

  /** Moves the parameters against their gradients, which stay the caller's. */
  step(gradients: Gradients, learningRate: number): void {
    const [beta1, beta2] = this.betas;
    this.steps += 1;
    const correction1 = 1 - beta1 ** this.steps;
    const correction2 = 1 - beta2 ** this.steps;
    for (const group of this.groups) {
      const rate = learningRate * group.lrScale;
      const [mean, square, values] = tf.tidy(() => {
        const gradient = group.view.gather((parameter) => gradients.get(parameter));
        const m = tf.add(tf.mul(group.mean, beta1), tf.mul(gradient, 1 - beta1)) as tf.Tensor1D;
        const v = tf.add(tf.mul(group.square, beta2), tf.mul(tf.square(gradient), 1 - beta2)) as tf.Tensor1D;
        const scale = tf.add(tf.mul(tf.sqrt(v), 1 / Math.sqrt(correction2)), this.eps);
        const update = tf.mul(tf.div(m, scale), rate / correction1);
        const old = group.view.gather((parameter) => parameter.value);
        return [m, v, tf.sub(tf.mul(old, 1 - rate * group.weightDecay), update) as tf.Tensor1D];
      });
      tf.dispose([group.mean, group.square]);
      group.mean = mean;
      group.square = square;
      group.view.assign(values);
      values.dispose();
    }
  }

  /** Whether all parameters are finite numbers. */
  async isFinite(): Promise<boolean> {
    // A finite number times 0 is 0; infinity and NaN give NaN.
    const test = tf.tidy(() =>
      tf.addN([
        tf.scalar(0),
        ...this.groups.map(({ view }) =>
          tf.sum(
            tf.mul(
              view.gather(({ value }) => value),
              0,
            ),
          ),
        ),
      ]),
    );
    const [sum] = await test.data();
    test.dispose();
    return sum === 0;
  }

  /** Everything that {@link restore} needs. The tensors belong to the caller. */
  state(): Map<string, tf.Tensor> {
    const moments = this.groups.flatMap(({ view, mean, square }) => [
      ...view.named(mean, 'mean'),
      ...view.named(square, 'square'),
    ]);
    return new Map(moments);
  }

  /**
   * Takes a state over by copying; the tensors stay the caller's.
   *
   * @param steps - how many were taken before.
   * @throws CheckpointError when a piece is missing or has another shape; then nothing has changed.
   */
  restore(state: ReadonlyMap<string, tf.Tensor>, steps: number): void {
    const restored = this.groups.map(({ view }) => [view.fromNamed(state, 'mean'), view.fromNamed(state, 'square')] as const);
    for (const [i, group] of this.groups.entries()) {
      tf.dispose([group.mean, group.square]);
      [group.mean, group.square] = restored[i] as readonly [tf.Tensor1D, tf.Tensor1D];
    }
    this.steps = steps;
  }

  dispose(): void {
    for (const { mean, square } of this.groups) tf.dispose([mean, square]);
  }
}

function assertDistinct(groups: readonly ParameterGroup[]): void {
  const owners = new Map<Parameter, string>();
  for (const { name, parameters } of groups) {
    for (const [path, parameter] of parameters) {
      const owner = owners.get(parameter);
      if (owner !== undefined) throw new RangeError(`AdamW: ${path} is in the groups ${owner} and ${name}`);
      owners.set(parameter, name);
    }
  }
}
