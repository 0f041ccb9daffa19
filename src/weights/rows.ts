import type { NamedArray } from './formats/index.js';

/** Concatenates arrays along the first axis; their other sizes are equal. */
export function joinRows(parts: readonly NamedArray[]): NamedArray {
  const [{ dtype, shape }] = parts as [NamedArray];
  const data = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part.data, at);
    at += part.data.length;
  }
  const rows = parts.reduce((sum, part) => sum + (part.shape[0] as number), 0);
  return { dtype, shape: [rows, ...shape.slice(1)], data };
}

/** One of several equal parts along the first axis. */
export function rowsOf({ dtype, shape: [rows = 0, ...rest], data }: NamedArray, index: number, count: number): NamedArray {
  const length = data.length / count;
  return { dtype, shape: [rows / count, ...rest], data: data.slice(index * length, (index + 1) * length) };
}

/** Whether two arrays are identical. */
export function sameValues(a: NamedArray, b: NamedArray): boolean {
  return a.data.length === b.data.length && a.data.every((value, i) => Object.is(value, b.data[i]));
}
