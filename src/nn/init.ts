import { type Rng, sizeOf } from '../util/index.js';

/** Draws the initial values of a parameter, row-major in its in-memory shape. */
export type Initialiser = (shape: readonly number[], rng: Rng) => Float32Array;

export const zeros: Initialiser = (shape) => new Float32Array(sizeOf(shape));

export const ones: Initialiser = (shape) => new Float32Array(sizeOf(shape)).fill(1);

/** Sets every element to `value`. */
export function constant(value: number): Initialiser {
  return (shape) => new Float32Array(sizeOf(shape)).fill(value);
}

/** Normal distribution with mean 0. */
export function normal(std: number): Initialiser {
  return (shape, rng) => Float32Array.from({ length: sizeOf(shape) }, () => rng.normal(0, std));
}

/** Uniform in [-bound, bound). */
export function uniform(bound: number): Initialiser {
  return (shape, rng) => Float32Array.from({ length: sizeOf(shape) }, () => rng.uniform(-bound, bound));
}

/** Glorot's uniform initialisation of a matrix [fanOut, fanIn]. */
export const xavierUniform: Initialiser = (shape, rng) => {
  const [fanOut = 1, fanIn = 1] = shape;
  return uniform(Math.sqrt(6 / (fanIn + fanOut)))(shape, rng);
};
