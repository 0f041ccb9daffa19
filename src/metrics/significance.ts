import { type BootstrapOptions, groupedBootstrapMeans, type Interval } from './grouped-bootstrap.js';
import { midranks } from './ranks.js';
import { mean, quantile } from './statistics.js';

/** Maximum number of pairs for the exact distribution of the signed ranks. */
const EXACT = 50;

/** A two-sided test. */
export interface WilcoxonResult {
  /** The smaller of the two sums of signed ranks. */
  readonly statistic: number;
  /** In [0, 1]; 1 if no pair differs. */
  readonly p: number;
  /** Number of pairs that differ. */
  readonly n: number;
}

/**
 * Two-sided Wilcoxon signed-rank test of paired values. Pairs without a difference are left out. Up to 50 pairs the distribution
 * is exact, ties included; beyond, normal, with the variance corrected for ties.
 *
 * @throws RangeError when the lengths differ.
 */
export function wilcoxonSignedRank(a: readonly number[], b: readonly number[]): WilcoxonResult {
  if (a.length !== b.length) throw new RangeError(`wilcoxonSignedRank: ${a.length} values are paired with ${b.length}`);
  const differences = a.map((value, i) => value - (b[i] as number)).filter((difference) => difference !== 0);
  const n = differences.length;
  if (n === 0) return { statistic: 0, p: 1, n };
  const ranks = midranks(differences.map(Math.abs));
  const positive = ranks.reduce((sum, rank, i) => sum + ((differences[i] as number) > 0 ? rank : 0), 0);
  const statistic = Math.min(positive, (n * (n + 1)) / 2 - positive);
  return { statistic, p: n <= EXACT ? exactP(ranks, statistic) : normalP(ranks, statistic), n };
}

/** Twice the fraction of the 2^n sign patterns whose sum of positive ranks is at most the statistic. */
function exactP(ranks: readonly number[], statistic: number): number {
  // Tied ranks are multiples of one half: twice a rank is an integer.
  const doubled = ranks.map((rank) => Math.round(2 * rank));
  const total = doubled.reduce((sum, rank) => sum + rank, 0);
  const share = new Float64Array(total + 1);
  share[0] = 1;
  for (const rank of doubled)
    for (let s = total; s >= 0; s--) share[s] = ((share[s] as number) + (s >= rank ? (share[s - rank] as number) : 0)) / 2;
  const below = share.subarray(0, Math.round(2 * statistic) + 1).reduce((sum, value) => sum + value, 0);
  return Math.min(1, 2 * below);
}

function normalP(ranks: readonly number[], statistic: number): number {
  const n = ranks.length;
  const ties = new Map<number, number>();
  for (const rank of ranks) ties.set(rank, (ties.get(rank) ?? 0) + 1);
  const correction = [...ties.values()].reduce((sum, t) => sum + t ** 3 - t, 0) / 48;
  const variance = (n * (n + 1) * (2 * n + 1)) / 24 - correction;
  const z = (statistic - (n * (n + 1)) / 4) / Math.sqrt(variance);
  return Math.min(1, 2 * normalTail(-z));
}

/** The probability that a standard normal variable exceeds z, for z >= 0. */
function normalTail(z: number): number {
  return 0.5 * erfc(z / Math.SQRT2);
}

/** The complementary error function for x >= 0: its series near 0, its continued fraction beyond. */
function erfc(x: number): number {
  if (x < 2) {
    let [term, sum] = [x, x];
    for (let k = 1; Math.abs(term) > 1e-17 * Math.abs(sum) && k < 200; k++) {
      term *= -(x * x) / k;
      sum += term / (2 * k + 1);
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let k = 120; k > 0; k--) fraction = k / 2 / (x + fraction);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}

/** The difference of the first mean over the second. */
export interface PairedBootstrapResult extends Interval {
  readonly difference: number;
  /** Two-sided, at least 2 / (draws + 1), the resolution of the bootstrap; 1 for one group, which has no draws. */
  readonly p: number;
}

/** Paired bootstrap of the mean difference, resampled by group (patient). Of one group it has neither interval nor evidence. */
export function pairedBootstrap(
  a: readonly number[],
  b: readonly number[],
  groups: readonly string[],
  { seed, draws = 2000, confidence = 0.95 }: BootstrapOptions,
): PairedBootstrapResult {
  if (a.length !== b.length) throw new RangeError(`pairedBootstrap: ${a.length} values are paired with ${b.length}`);
  const differences = a.map((value, i) => value - (b[i] as number));
  const means = groupedBootstrapMeans(differences, groups, seed, draws);
  const tail = (1 - confidence) / 2;
  const share = (test: (value: number) => boolean) => (means.filter(test).length + 1) / (means.length + 1);
  const oneSided = Math.min(
    share((value) => value <= 0),
    share((value) => value >= 0),
  );
  const p = Math.min(1, 2 * oneSided);
  return { difference: mean(differences), low: quantile(means, tail), high: quantile(means, 1 - tail), p };
}

/** Holm's step-down correction: adjusted p-values, in the order given. */
export function holm(ps: readonly number[]): number[] {
  const order = ps.map((_, i) => i).sort((a, b) => (ps[a] as number) - (ps[b] as number));
  const corrected = new Array<number>(ps.length);
  let largest = 0;
  for (const [k, i] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (ps.length - k) * (ps[i] as number)));
    corrected[i] = largest;
  }
  return corrected;
}
