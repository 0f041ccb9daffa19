import { describe, expect, it } from '@jest/globals';
import { maskOfRuns } from '../../src/imaging/index.js';
import { contourAccuracy } from '../../src/metrics/index.js';
import { fixtureJson } from '../support/golden-arrays.js';

interface Golden {
  readonly masks: readonly { readonly width: number; readonly height: number; readonly runs: readonly number[] }[];
  readonly cases: readonly (readonly [predicted: number, truth: number, value: number])[];
}

describe('the contour accuracy', () => {
  const { masks, cases } = fixtureJson('contour-accuracy', 'case.json') as Golden;
  const decoded = masks.map(({ width, height, runs }) => maskOfRuns(runs, width, height));

  it('is that of DAVIS, empty and full masks included', () => {
    expect(cases.length).toBeGreaterThan(30);
    for (const [predicted, truth, value] of cases)
      expect(
        contourAccuracy(decoded[predicted] as (typeof decoded)[number], decoded[truth] as (typeof decoded)[number]),
      ).toBeCloseTo(value, 10);
  });

  it('is 0 where no part of one contour is near the other', () => {
    const square = (from: number) => {
      const data = new Uint8Array(100 * 100);
      for (let y = from; y < from + 5; y++) data.fill(1, y * 100 + from, y * 100 + from + 5);
      return { width: 100, height: 100, data };
    };
    expect(contourAccuracy(square(10), square(80))).toBe(0);
  });

  it('compares masks of one size alone', () => {
    expect(() => contourAccuracy(decoded[0] as (typeof decoded)[number], decoded.at(-1) as (typeof decoded)[number])).toThrow();
  });
});
