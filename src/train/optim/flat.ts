import { type NamedTensors, tf } from '../../backend/index.js';
import type { Parameter } from '../../nn/index.js';
import { CheckpointError, sizeOf } from '../../util/index.js';

/**
 * A view of parameters as one flat vector, in a fixed order: one update of the vector needs far fewer ops than one per parameter.
 */
export class FlatView {
  readonly parameters: readonly (readonly [string, Parameter])[];
  readonly sizes: readonly number[];
  readonly size: number;

  constructor(parameters: readonly (readonly [string, Parameter])[]) {
    this.parameters = parameters;
    this.sizes = parameters.map(([, { shape }]) => sizeOf(shape));
    this.size = this.sizes.reduce((a, b) => a + b, 0);
  }

  /** [size]: the tensors that `pick` returns, zeros where it returns none. */
  gather(pick: (parameter: Parameter) => tf.Tensor | undefined): tf.Tensor1D {
    return tf.tidy(() => {
      const parts = this.parameters.map(([, parameter], i) => {
        const values = pick(parameter);
        return values === undefined ? tf.zeros([this.sizes[i] as number]) : values.reshape([-1]);
      });
      return parts.length === 0 ? tf.zeros([0]) : tf.concat1d(parts as tf.Tensor1D[]);
    });
  }

  /** The tensors that `pick` returns, keyed by parameter index. */
  numbered(prefix: string, pick: (parameter: Parameter) => tf.Tensor | undefined): Record<string, tf.Tensor> {
    const found = this.parameters.flatMap(([, parameter], i) => {
      const tensor = pick(parameter);
      return tensor === undefined ? [] : [[`${prefix}${i}`, tensor] as const];
    });
    return Object.fromEntries(found);
  }

  /** [size]: the tensors of {@link numbered}, zeros where one is missing. */
  concat(prefix: string, tensors: NamedTensors): tf.Tensor1D {
    const numbers = new Map(this.parameters.map(([, parameter], i) => [parameter, i]));
    return this.gather((parameter) => tensors[`${prefix}${numbers.get(parameter)}`]);
  }

  /** Splits a vector into pieces of the parameters' shapes. */
  scatter(vector: tf.Tensor1D): tf.Tensor[] {
    if (this.size === 0) return [];
    return tf.tidy(() =>
      tf
        .split(vector, [...this.sizes])
        .map((part, i) => part.reshape([...(this.parameters[i] as readonly [string, Parameter])[1].shape])),
    );
  }

  /** Assigns each parameter the tensor of its index. */
  assignNumbered(prefix: string, tensors: NamedTensors): void {
    for (const [i, [, parameter]] of this.parameters.entries()) parameter.assign(tensors[`${prefix}${i}`] as tf.Tensor);
  }

  /** Assigns each parameter its piece of a vector. */
  assign(vector: tf.Tensor1D): void {
    for (const [i, part] of this.scatter(vector).entries()) {
      (this.parameters[i] as readonly [string, Parameter])[1].assign(part);
      part.dispose();
    }
  }

  /** Named pieces of a vector, for saving. The tensors belong to the caller. */
  named(vector: tf.Tensor1D, prefix: string): [string, tf.Tensor][] {
    return this.scatter(vector).map((part, i) => [`${prefix}.${(this.parameters[i] as readonly [string, Parameter])[0]}`, part]);
  }

  /**
   * Concatenates named pieces into a vector.
   *
   * @throws CheckpointError when one is missing or has another shape.
   */
  fromNamed(pieces: ReadonlyMap<string, tf.Tensor>, prefix: string): tf.Tensor1D {
    const byParameter = new Map(
      this.parameters.map(([path, parameter]) => {
        const piece = pieces.get(`${prefix}.${path}`);
        if (piece === undefined || piece.size !== sizeOf(parameter.shape)) {
          const what = piece === undefined ? 'it is missing' : `expected shape [${parameter.shape}], got [${piece.shape}]`;
          throw new CheckpointError({
            code: 'E_CONFIG_CHANGED',
            where: `saved state ${prefix}.${path}`,
            what,
            fix: 'It belongs to another configuration',
          });
        }
        return [parameter, piece] as const;
      }),
    );
    return this.gather((parameter) => byParameter.get(parameter));
  }
}
