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
