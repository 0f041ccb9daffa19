import { tf } from '../../backend/index.js';
import { nearest, UsageError } from '../../util/index.js';
import type { NamedArray } from '../../weights/formats/index.js';

/** Number of problems listed in an error. */
const LISTED = 8;

/** Named arrays of a file, checked against a model's signature. {@link check} throws all problems at once. */
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
   * Checks the shape of an array; letters without a value in `known` stand for any size of at least 1.
   *
   * @returns the sizes; all `undefined` if the array is missing or has the wrong shape.
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

  /** Checks that an array holds integers from `low` to `high`. */
  range(name: string, low: number, high: number): void {
    const data = this.arrays.get(name)?.data ?? [];
    const outside = data.find((value) => !Number.isInteger(value) || value < low || value > high);
    if (outside !== undefined) this.problem(`${name}: expected integers from ${low} to ${high}, got ${outside}`);
  }

  /**
   * @param known - all input names of the model.
   * @throws UsageError with all problems found so far, including unknown names.
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

  /** An optional array of the file as int32. */
  whole<T extends tf.Tensor>(name: string): T | undefined {
    return this.tensor(name, 'int32') as T | undefined;
  }

  /** An optional array of the file as float32. */
  float<T extends tf.Tensor>(name: string): T | undefined {
    return this.tensor(name, 'float32') as T | undefined;
  }

  /** Converts NCHW to NHWC. The array must exist. */
  image(name: string): tf.Tensor4D {
    return tf.tidy(() => tf.transpose(this.float<tf.Tensor4D>(name) as tf.Tensor4D, [0, 2, 3, 1]));
  }

  private tensor(name: string, dtype: 'int32' | 'float32'): tf.Tensor | undefined {
    const array = this.arrays.get(name);
    return array && tf.tidy(() => tf.cast(tf.tensor(array.data, [...array.shape], array.dtype), dtype));
  }
}
