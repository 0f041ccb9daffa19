import { Rng } from '../util/index.js';
import { type BootstrapOptions, quantile } from './statistics.js';

/** Confidence interval of a mean, in the unit of the values. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Sum and count of each group's values, so that a draw costs one addition per group. */
interface GroupSums {
  readonly sums: readonly number[];
  readonly counts: readonly number[];
}

/**
 * Percentile bootstrap interval of the mean of grouped values (the images of a patient). Whole groups are resampled, so that
 * correlation within a group does not narrow the interval. With one value per group this is the ordinary bootstrap.
 *
 * @param groups - the group of each value.
 * @returns NaN bounds without values.
 * @see Davison and Hinkley 1997, section 3.8
 */
export function groupedBootstrapInterval(
  values: readonly number[],
  groups: readonly string[],
  { seed, draws = 2000, confidence = 0.95 }: BootstrapOptions,
): Interval {
  const means = groupedBootstrapMeans(values, groups, seed, draws);
  const tail = (1 - confidence) / 2;
  return { low: quantile(means, tail), high: quantile(means, 1 - tail) };
}

/** The means of `draws` samples of whole groups, drawn with replacement. */
export function groupedBootstrapMeans(
  values: readonly number[],
  groups: readonly string[],
  seed: number,
  draws: number,
): number[] {
  if (values.length !== groups.length)
    throw new RangeError(`groupedBootstrapMeans: ${values.length} values have ${groups.length} groups`);
  if (values.length === 0) return [];
  const { sums, counts } = sumsOf(values, groups);
  const rng = Rng.seeded(seed);
  return Array.from({ length: draws }, () => {
    let [sum, count] = [0, 0];
    for (let i = 0; i < sums.length; i++) {
      const k = rng.int(sums.length);
      sum += sums[k] as number;
      count += counts[k] as number;
    }
    return sum / count;
  });
}

function sumsOf(values: readonly number[], groups: readonly string[]): GroupSums {
  const byGroup = new Map<string, { sum: number; count: number }>();
  for (const [i, group] of groups.entries()) {
    const known = byGroup.get(group) ?? { sum: 0, count: 0 };
    known.sum += values[i] as number;
    known.count += 1;
    byGroup.set(group, known);
  }
  const all = [...byGroup.values()];
  return { sums: all.map(({ sum }) => sum), counts: all.map(({ count }) => count) };
}
