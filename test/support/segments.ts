import { expect } from '@jest/globals';
import type { Segment } from '../../src/infer/index.js';

/** The same things at the same places; a graph's sums are in another order. */
export function expectSameSegments(actual: Segment[][], expected: Segment[][]): void {
  expect(expected.flat().length).toBeGreaterThan(0);
  expect(actual.map((found) => found.map(({ phrase }) => phrase))).toEqual(
    expected.map((found) => found.map(({ phrase }) => phrase)),
  );
  for (const [i, found] of expected.entries()) {
    for (const [k, segment] of found.entries()) {
      const other = actual[i]?.[k] as Segment;
      expect(Math.abs(other.score - segment.score)).toBeLessThan(1e-4);
      for (const [side, value] of segment.boxXyxyPx.entries())
        expect(Math.abs((other.boxXyxyPx[side] as number) - value)).toBeLessThan(0.02);
      const differing = segment.mask.data.reduce((sum, value, j) => sum + (value === other.mask.data[j] ? 0 : 1), 0);
      expect(differing / segment.mask.data.length).toBeLessThan(1e-3);
    }
  }
}

/** The largest difference of scores of things that were found in both, best first. */
export function scoreDifference(a: Segment[][], b: Segment[][]): number {
  const differences = a.flatMap((found, i) => found.map(({ score }, k) => Math.abs(score - (b[i]?.[k]?.score ?? 0))));
  return Math.max(0, ...differences);
}
