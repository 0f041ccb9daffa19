import { tf } from '../backend/index.js';
import { nearest, UsageError } from '../util/index.js';
import type { NamedArray } from '../weights/formats/index.js';

/** How many problems an error lists. */
const LISTED = 8;

/** Named arrays of a file, checked against what a model takes. Problems are collected and thrown once, by {@link check}. */
export class RawInputs {
  private readonly file: string;
  private readonly arrays: ReadonlyMap<string, NamedArray>;
  private readonly problems: string[] = [];

  constructor(file: string, arrays: ReadonlyMap<string, NamedArray>) {
    this.file = file;
    this.arrays = arrays;
  }

  has(name: string): boolean {
    return this.arrays.has(name);
  }

  problem(what: string): void {
    this.problems.push(what);
  }

  /**
   * Checks the sizes of an array; letters without a value in `known` stand for any size from 1 on.
   *
   * @returns the sizes; `undefined` each where the array is missing or misshapen.
   */
  sizes(
    name: string,
    expected: readonly (string | number)[],
    known: Readonly<Record<string, number | undefined>>,
    need: 'required' | 'optional' = 'required',
  ): (number | undefined)[] {
    const array = this.arrays.get(name);
    if (array === undefined) {
      if (need === 'required') this.problem(`${name} is missing`);
      return [];
    }
    const wanted = expected.map((size) => (typeof size === 'number' ? size : known[size]));
    const { shape } = array;
    const fits =
      shape.length === wanted.length && wanted.every((n, i) => (n === undefined ? (shape[i] as number) > 0 : n === shape[i]));
    if (fits) return [...shape];
    const shown = expected.map((size, i) => wanted[i] ?? size).join(', ');
    this.problem(`${name}: expected shape [${shown}], got [${shape.join(', ')}]`);
    return [];
  }

  /** Checks that an array holds whole numbers from `low` to `high`. */
  range(name: string, low: number, high: number): void {
    const data = this.arrays.get(name)?.data ?? [];
    const outside = data.find((value) => !Number.isInteger(value) || value < low || value > high);
    if (outside !== undefined) this.problem(`${name}: expected integers from ${low} to ${high}, got ${outside}`);
  }

  /**
   * @param known - every name that the model takes.
   * @throws UsageError with all problems found so far, and names that the model does not take.
   */
  check(known: readonly string[]): void {
    for (const name of this.arrays.keys()) {
      if (known.includes(name)) continue;
      const near = nearest(name, known);
      this.problem(`${name} is not an input of this model${near === undefined ? '' : `, did you mean ${near}?`}`);
    }
    if (this.problems.length === 0) return;
    const shown = this.problems.slice(0, LISTED);
    if (this.problems.length > LISTED) shown.push(`and ${this.problems.length - LISTED} more`);
    throw new UsageError({
      code: 'E_INPUT_INVALID',
      where: this.file,
      what: shown.join('; '),
      fix: `Inputs are ${known.join(', ')}`,
    });
  }

  /** An array of the file as int32, if it is there. */
  whole<T extends tf.Tensor>(name: string): T | undefined {
    return this.tensor(name, 'int32') as T | undefined;
  }

  /** An array of the file as float32, if it is there. */
  float<T extends tf.Tensor>(name: string): T | undefined {
    return this.tensor(name, 'float32') as T | undefined;
  }

  /** NCHW in the file, NHWC here. The array must be there. */
  image(name: string): tf.Tensor4D {
    return tf.tidy(() => tf.transpose(this.float<tf.Tensor4D>(name) as tf.Tensor4D, [0, 2, 3, 1]));
  }

  private tensor(name: string, dtype: 'int32' | 'float32'): tf.Tensor | undefined {
    const array = this.arrays.get(name);
    return array && tf.tidy(() => tf.cast(tf.tensor(array.data, [...array.shape], array.dtype), dtype));
  }
}
