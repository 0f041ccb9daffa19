import { CheckpointError, shownName } from '../util/index.js';
import type { NamedArray } from './formats/index.js';

/** Number of weights named in an error. */
const LISTED = 8;

/** Checks weights while they are loaded, and reports all with NaN or infinite values together. */
export class FiniteCheck {
  private readonly found: { readonly file: string; readonly text: string }[] = [];

  /** @param file - the file that it was read from. */
  look(file: string, name: string, { data }: NamedArray): void {
    const count = nonFiniteIn(data);
    if (count === 0) return;
    const total = data.length.toLocaleString('en');
    const which = count === data.length ? `all ${total} values` : `${count.toLocaleString('en')} of ${total} values`;
    this.found.push({ file, text: `${shownName(name)} (${which})` });
  }

  /** @throws CheckpointError naming the weights, the number of bad values in each, and the file. */
  check(): void {
    const [first] = this.found;
    if (first === undefined) return;
    const files = [...new Set(this.found.map(({ file }) => file))];
    const named = this.found.slice(0, LISTED).map(({ file, text }) => (files.length > 1 ? `${text} in ${file}` : text));
    if (this.found.length > LISTED) named.push(`and ${this.found.length - LISTED} more`);
    throw new CheckpointError({
      code: 'E_WEIGHTS_NOT_FINITE',
      where: first.file,
      what: `NaN or infinite values in ${this.found.length} of its weights: ${named.join(', ')}`,
      fix: 'The training that wrote it diverged, or it was damaged: take an earlier checkpoint',
    });
  }
}

/**
 * Number of NaN or infinite values. The sum of finite float32 values is finite in double precision, and any other value spoils
 * it: a single pass of additions, much cheaper than reading the values, tells whether there are any.
 */
function nonFiniteIn(data: Float32Array | Int32Array): number {
  if (data instanceof Int32Array) return 0;
  let [a, b, c, d] = [0, 0, 0, 0];
  const even = data.length - (data.length % 4);
  for (let i = 0; i < even; i += 4) {
    a += data[i] as number;
    b += data[i + 1] as number;
    c += data[i + 2] as number;
    d += data[i + 3] as number;
  }
  for (let i = even; i < data.length; i++) a += data[i] as number;
  if (Number.isFinite(a + b + c + d)) return 0;
  return data.reduce((count, value) => (Number.isFinite(value) ? count : count + 1), 0);
}
