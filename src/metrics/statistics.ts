import { Rng } from '../util/index.js';

/** Arithmetic mean; NaN without values. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Population standard deviation (divided by n, as in the paper's tables); NaN without values. */
export function populationStd(values: readonly number[]): number {
  const centre = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - centre) ** 2)));
}

/** Quantile with linear interpolation; NaN without values. `share` is in [0, 1]. */
export function quantile(values: readonly number[], share: number): number {
  return sortedQuantile(Float64Array.from(values).sort(), share);
}

/** {@link quantile} of values in ascending order. */
export function sortedQuantile(sorted: Float64Array, share: number): number {
  const position = share * (sorted.length - 1);
  const low = Math.floor(position);
  const [below, above] = [sorted[low], sorted[Math.min(low + 1, sorted.length - 1)]];
  if (below === undefined || above === undefined) return Number.NaN;
  return below === above ? below : below + (above - below) * (position - low);
}

export interface BootstrapOptions {
  readonly seed: number;
  /** Number of bootstrap samples. Default: 2000. */
  readonly draws?: number;
  /** Confidence level. Default: 0.95. */
  readonly confidence?: number;
}

/**
 * Percentile bootstrap interval of the mean. Zero width for a single value; NaN bounds without values.
 *
 * @see Efron and Tibshirani 1993, chapter 13
 */
export function bootstrapInterval(
  values: readonly number[],
  { seed, draws = 2000, confidence = 0.95 }: BootstrapOptions,
): { readonly low: number; readonly high: number } {
  const rng = Rng.seeded(seed);
  const means = Array.from({ length: draws }, () => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[rng.int(values.length)] as number;
    return sum / values.length;
  });
  const tail = (1 - confidence) / 2;
  return { low: quantile(means, tail), high: quantile(means, 1 - tail) };
}
