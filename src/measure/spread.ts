import type { MaskMeasures } from './mask-measures.js';

/** Standard deviations of measures over variants of the input and of the mask's threshold, in the unit of each measure. */
export interface Spread {
  /** Variants in which the structure was found, the input itself included. */
  readonly variants: number;
  /** Variants in which it was not found. */
  readonly lost: number;
  readonly areaMm2: number;
  readonly longAxisMm: number;
  readonly shortAxisMm: number;
  readonly perimeterMm: number;
}

/**
 * The spread of measures over variants.
 *
 * @returns undefined for fewer than two.
 */
export function spreadOf(found: readonly MaskMeasures[], lost: number): Spread | undefined {
  if (found.length < 2) return undefined;
  const over = (value: (measures: MaskMeasures) => number) => standardDeviation(found.map(value));
  return {
    variants: found.length,
    lost,
    areaMm2: over(({ areaMm2 }) => areaMm2),
    longAxisMm: over(({ longAxis }) => longAxis.mm),
    shortAxisMm: over(({ shortAxis }) => shortAxis.mm),
    perimeterMm: over(({ perimeterMm }) => perimeterMm),
  };
}

/** Of a sample. */
function standardDeviation(values: readonly number[]): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
