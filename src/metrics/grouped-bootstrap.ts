import { Rng } from '../util/index.js';
import { sortedQuantile } from './statistics.js';

export interface BootstrapOptions {
  readonly seed: number;
  /** Number of bootstrap samples. Default: 2000. */
  readonly draws?: number;
  /** Confidence level. Default: 0.95. */
  readonly confidence?: number;
}

/** Confidence interval of a mean, in the unit of the values. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * Percentile bootstrap interval of the mean of grouped values (the images of a patient). Whole groups are resampled, so that
 * correlation within a group does not narrow the interval. With one value per group this is the ordinary bootstrap.
 *
 * @param groups - the group of each value.
 * @returns NaN bounds for fewer than two groups, whose draws would all be alike.
 * @see Efron and Tibshirani 1993, chapter 13; Davison and Hinkley 1997, section 3.8
 */
export function groupedBootstrapInterval(
  values: readonly number[],
  groups: readonly string[],
  { seed, draws = 2000, confidence = 0.95 }: BootstrapOptions,
): Interval {
  const [interval] = groupedBootstrapIntervals([values], groups, { seed, draws, confidence });
  return interval as Interval;
}

/**
 * The intervals of several values of the same images, as {@link groupedBootstrapInterval} computes each: they share their draws.
 *
 * @throws RangeError when the numbers of values and groups differ.
 */
export function groupedBootstrapIntervals(
  lists: readonly (readonly number[])[],
  groups: readonly string[],
  { seed, draws = 2000, confidence = 0.95 }: BootstrapOptions,
): Interval[] {
  const tail = (1 - confidence) / 2;
  return meansOfDraws(lists, groups, seed, draws).map((means) => {
    const sorted = means.sort();
    return { low: sortedQuantile(sorted, tail), high: sortedQuantile(sorted, 1 - tail) };
  });
}

/** The means of `draws` samples of whole groups, drawn with replacement; none for fewer than two groups. */
export function groupedBootstrapMeans(
  values: readonly number[],
  groups: readonly string[],
  seed: number,
  draws: number,
): number[] {
  return Array.from(meansOfDraws([values], groups, seed, draws)[0] as Float64Array);
}

/** The means of each list in each draw; none for fewer than two groups. */
function meansOfDraws(
  lists: readonly (readonly number[])[],
  groups: readonly string[],
  seed: number,
  draws: number,
): Float64Array[] {
  for (const { length } of lists)
    if (length !== groups.length) throw new RangeError(`groupedBootstrapMeans: ${length} values have ${groups.length} groups`);
  const { positions, counts } = groupsOf(groups);
  if (counts.length < 2) return lists.map(() => new Float64Array());
  const sums = lists.map((values) => sumsOf(values, positions, counts.length));
  const means = lists.map(() => new Float64Array(draws));
  const rng = Rng.seeded(seed);
  const drawn = new Int32Array(counts.length);
  for (let draw = 0; draw < draws; draw++) {
    let count = 0;
    for (let i = 0; i < drawn.length; i++) {
      const k = rng.int(drawn.length);
      drawn[i] = k;
      count += counts[k] as number;
    }
    for (const [m, own] of sums.entries()) (means[m] as Float64Array)[draw] = sumAt(own, drawn) / count;
  }
  return means;
}

function sumAt(sums: Float64Array, drawn: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < drawn.length; i++) sum += sums[drawn[i] as number] as number;
  return sum;
}

/** The group of each value, as a position, and the number of values of each group. */
function groupsOf(groups: readonly string[]): { readonly positions: Int32Array; readonly counts: Int32Array } {
  const known = new Map<string, number>();
  const positions = Int32Array.from(groups, (group) => {
    const position = known.get(group) ?? known.size;
    known.set(group, position);
    return position;
  });
  const counts = new Int32Array(known.size);
  for (const position of positions) counts[position] = (counts[position] as number) + 1;
  return { positions, counts };
}

/** The sum of each group's values, so that a draw costs one addition per group. */
function sumsOf(values: readonly number[], positions: Int32Array, count: number): Float64Array {
  const sums = new Float64Array(count);
  for (const [i, position] of positions.entries()) sums[position] = (sums[position] as number) + (values[i] as number);
  return sums;
}
