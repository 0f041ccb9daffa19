import { describe, expect, it } from '@jest/globals';
import { agreementOf } from '../../src/metrics/index.js';

describe('agreement of measured and true values', () => {
  it('has the mean error, the bias and the limits of Bland and Altman', () => {
    // Differences: 1, -1, 3. Deviations from their mean, 1: 0, -2, 2. Their sample standard deviation: sqrt(8 / 2) = 2.
    const pairs = [
      { measured: 11, truth: 10 },
      { measured: 19, truth: 20 },
      { measured: 33, truth: 30 },
    ];
    const { n, meanError, bias, limits } = agreementOf(pairs);
    expect(n).toBe(3);
    expect(meanError).toBeCloseTo(5 / 3, 12);
    expect(bias).toBeCloseTo(1, 12);
    expect(limits[0]).toBeCloseTo(1 - 1.96 * 2, 12);
    expect(limits[1]).toBeCloseTo(1 + 1.96 * 2, 12);
  });

  it('of two pairs has limits', () => {
    const pairs = [
      { measured: 0, truth: 0 },
      { measured: 2, truth: 0 },
    ];
    const { bias, limits } = agreementOf(pairs);
    expect(bias).toBe(1);
    expect(limits[1]).toBeCloseTo(1 + 1.96 * Math.SQRT2, 12);
  });

  it('of one pair has no limits', () => {
    expect(agreementOf([{ measured: 5, truth: 3 }])).toEqual({ n: 1, meanError: 2, bias: 2, limits: [Number.NaN, Number.NaN] });
  });
});
