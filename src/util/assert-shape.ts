import { SonogroundError } from './errors/index.js';

/** Anything with a shape: a tensor, or a tensor header. */
interface Shaped {
  readonly shape: readonly number[];
}

/**
 * Checks a shape; `null` stands for any size.
 *
 * @throws SonogroundError naming the value, the expected and the actual shape.
 */
export function assertShape(value: Shaped, expected: readonly (number | null)[], where: string): void {
  const { shape } = value;
  const fits = shape.length === expected.length && expected.every((n, i) => n === null || n === shape[i]);
  if (fits) return;
  const wanted = expected.map((n) => n ?? 'any').join(', ');
  throw new SonogroundError({ code: 'E_SHAPE', where, what: `expected shape [${wanted}], got [${shape.join(', ')}]` });
}

/** The number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
