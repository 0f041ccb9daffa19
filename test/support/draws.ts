import { expect } from '@jest/globals';

/**
 * Expects that of `draws` independent draws about a share `p` came true: within five standard deviations, which a right
 * implementation leaves once in two million seeds and half the rate, at thousands of draws, never keeps.
 */
export function expectShare(hits: number, draws: number, p: number): void {
  const margin = 5 * Math.sqrt((p * (1 - p)) / draws);
  expect(hits / draws).toBeGreaterThan(p - margin);
  expect(hits / draws).toBeLessThan(p + margin);
}
