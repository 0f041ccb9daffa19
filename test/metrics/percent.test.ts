import { describe, expect, it } from '@jest/globals';
import { percent, percentOrNull, roundedOrNull } from '../../src/metrics/index.js';

describe('percent', () => {
  it('has two decimals', () => {
    expect(percent(0.123456)).toBe(12.35);
    expect(percent(-0.5)).toBe(-50);
    expect(percentOrNull(2 / 3)).toBe(66.67);
  });

  it('of NaN is NaN, and null in files', () => {
    expect(percent(Number.NaN)).toBeNaN();
    expect(percentOrNull(Number.NaN)).toBeNull();
    expect(percentOrNull(Number.POSITIVE_INFINITY)).toBeNull();
  });
});

describe('rounding for files', () => {
  it('keeps two decimals', () => {
    expect(roundedOrNull(5.6789)).toBe(5.68);
    expect(roundedOrNull(-1234.567)).toBe(-1234.57);
  });

  it('writes null for NaN', () => {
    expect(roundedOrNull(Number.NaN)).toBeNull();
  });
});
