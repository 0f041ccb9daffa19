import { CapturedFunction, type NamedTensors, tf } from '../../backend/index.js';
import type { Gradients, Parameter } from '../../nn/index.js';
import { FlatView } from './flat.js';

/** Parameters with common settings. */
export interface ParameterGroup {
  readonly name: string;
  /** With their paths. */
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
  /** Whether updates are frequent enough to justify compiling a graph. Default: false. */
  readonly capture?: boolean;
}

interface GroupState {
  readonly view: FlatView;
  readonly update: CapturedFunction;
  readonly lrScale: number;
  readonly weightDecay: number;
  /** Running mean of the gradient and of its square, [size]. */
  mean: tf.Tensor1D;
  square: tf.Tensor1D;
}

/**
 * Adam with decoupled weight decay, equivalent to `torch.optim.AdamW`. Moments are kept as one vector per group. A missing
 * gradient counts as zero (torch would skip the parameter entirely, including its decay).
 *
 * @see Loshchilov and Hutter 2019
 */
export class AdamW {
  private readonly groups: readonly GroupState[];
  private readonly betas: readonly [number, number];
  private readonly eps: number;
  private steps = 0;

  /** @throws RangeError when a parameter occurs twice. */
  constructor(
    groups: readonly ParameterGroup[],
    { betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0.01, capture = false }: AdamWOptions = {},
  ) {
    this.betas = betas;
    this.eps = eps;
    assertDistinct(groups);
    this.groups = groups.map((group) => {
      const view = new FlatView(group.parameters);
      const update = new CapturedFunction((inputs) => this.updated(view, inputs), capture);
      const [mean, square] = [tf.zeros<tf.Rank.R1>([view.size]), tf.zeros<tf.Rank.R1>([view.size])];
      return { view, update, lrScale: group.lrScale ?? 1, weightDecay: group.weightDecay ?? weightDecay, mean, square };
    });
  }

  /**
   * Applies one update. The gradients stay the caller's.
   *
   * @param scale - factor on all gradients: below 1 if they are clipped.
   * @returns whether all updated parameters are finite.
   */
  async step(gradients: Gradients, learningRate: number, scale = 1): Promise<boolean> {
    const [beta1, beta2] = this.betas;
    this.steps += 1;
    const correction1 = 1 - beta1 ** this.steps;
    const correction2 = 1 - beta2 ** this.steps;
    let finite = true;
    for (const group of this.groups) {
      if (group.view.size === 0) continue;
      const rate = learningRate * group.lrScale;
      const numbers = {
        scale,
        rate: rate / correction1,
        root: 1 / Math.sqrt(correction2),
        keep: 1 - rate * group.weightDecay,
      };
      const scalars = Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, tf.scalar(value)]));
      const outputs = await group.update.run({
        ...scalars,
        mean: group.mean,
        square: group.square,
        ...group.view.numbered('value ', ({ value }) => value),
        ...group.view.numbered('gradient ', (parameter) => gradients.get(parameter)),
      });
      tf.dispose([group.mean, group.square, scalars]);
      group.mean = outputs['mean'] as tf.Tensor1D;
      group.square = outputs['square'] as tf.Tensor1D;
      group.view.assignNumbered('value ', outputs);
      const [zero] = await (outputs['zeroIfFinite'] as tf.Tensor).data();
      finite &&= zero === 0;
      tf.dispose([outputs['zeroIfFinite'] as tf.Tensor, group.view.parameters.map((_, i) => outputs[`value ${i}`] as tf.Tensor)]);
    }
    return finite;
  }

  /** New values and moments of a group, and a number that is 0 if all new values are finite. */
  private updated(view: FlatView, inputs: NamedTensors): NamedTensors {
    const [beta1, beta2] = this.betas;
    const { scale, rate, root, keep, mean, square } = inputs as Record<string, tf.Tensor>;
    const gradient = tf.mul(view.concat('gradient ', inputs), scale as tf.Tensor);
    const m = tf.add(tf.mul(mean as tf.Tensor, beta1), tf.mul(gradient, 1 - beta1));
    const v = tf.add(tf.mul(square as tf.Tensor, beta2), tf.mul(tf.square(gradient), 1 - beta2));
    const divisor = tf.add(tf.mul(tf.sqrt(v), root as tf.Tensor), this.eps);
    const change = tf.mul(tf.div(m, divisor), rate as tf.Tensor);
    const values = tf.sub(tf.mul(view.concat('value ', inputs), keep as tf.Tensor), change) as tf.Tensor1D;
    const pieces = view.scatter(values).map((piece, i) => [`value ${i}`, piece] as const);
    // Finite values times 0 are 0; infinity and NaN become NaN.
    return { mean: m, square: v, zeroIfFinite: tf.sum(tf.mul(values, 0)), ...Object.fromEntries(pieces) };
  }

  /** The state for {@link restore}. The tensors belong to the caller. */
  state(): Map<string, tf.Tensor> {
    const moments = this.groups.flatMap(({ view, mean, square }) => [
      ...view.named(mean, 'mean'),
      ...view.named(square, 'square'),
    ]);
    return new Map(moments);
  }

  /**
   * Restores a state by copying; the tensors stay the caller's.
   *
   * @param steps - number of updates before.
   * @throws CheckpointError when an entry is missing or has another shape; nothing is changed then.
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
    for (const { mean, square, update } of this.groups) {
      tf.dispose([mean, square]);
      update.dispose();
    }
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
