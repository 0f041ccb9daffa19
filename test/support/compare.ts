import { expect } from '@jest/globals';
import type { tf } from '../../src/backend/index.js';

/**
 * The largest difference, relative to the largest expected magnitude. Infinities must stand in the same places.
 */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) throw new Error(`lengths differ: ${actual.length} and ${expected.length}`);
  let largest = 0;
  let difference = 0;
  for (let i = 0; i < expected.length; i++) {
    const a = actual[i] as number;
    const e = expected[i] as number;
    if (!Number.isFinite(e)) {
      if (a !== e) return Number.POSITIVE_INFINITY;
      continue;
    }
    if (!Number.isFinite(a)) return Number.POSITIVE_INFINITY;
    largest = Math.max(largest, Math.abs(e));
    difference = Math.max(difference, Math.abs(a - e));
  }
  return difference === 0 ? 0 : difference / Math.max(largest, 1e-12);
}

/** Expects the same shape and values within a relative tolerance. */
export async function expectClose(actual: tf.Tensor, expected: tf.Tensor, tolerance: number): Promise<void> {
  expect(actual.shape).toEqual(expected.shape);
  expect(relativeError(await actual.data(), await expected.data())).toBeLessThan(tolerance);
}
