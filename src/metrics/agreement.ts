import { mean } from './statistics.js';

/** A measured value with the true one. */
interface MeasuredPair {
  readonly measured: number;
  readonly truth: number;
}

/** How well measured values agree with true ones, in their unit. */
export interface Agreement {
  readonly n: number;
  /** Mean of the absolute errors. */
  readonly meanError: number;
  /** Mean of measured minus true. */
  readonly bias: number;
  /** Limits of agreement: bias ± 1.96 standard deviations of the differences. NaN for fewer than two pairs. */
  readonly limits: readonly [low: number, high: number];
}

/** Standard deviations that enclose 95 % of a normal distribution. */
const NORMAL_95 = 1.96;

/** @see Bland and Altman, Statistical methods for assessing agreement, Lancet 1986 */
export function agreementOf(pairs: readonly MeasuredPair[]): Agreement {
  const differences = pairs.map(({ measured, truth }) => measured - truth);
  const bias = mean(differences);
  const squares = differences.reduce((sum, difference) => sum + (difference - bias) ** 2, 0);
  const reach = pairs.length < 2 ? Number.NaN : NORMAL_95 * Math.sqrt(squares / (pairs.length - 1));
  return { n: pairs.length, meanError: mean(differences.map(Math.abs)), bias, limits: [bias - reach, bias + reach] };
}
