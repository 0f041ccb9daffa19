import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  diceCoefficient,
  groupedBootstrapInterval,
  hausdorff95,
  holm,
  iou,
  type MaskPixels,
  maskScores,
  midranks,
  normalisedSurfaceDistance,
  pairedBootstrap,
  rocCurve,
  spearman,
  thresholdForFalsePositives,
  wilcoxonSignedRank,
} from '../../src/metrics/index.js';
import { Rng } from '../../src/util/index.js';
import { relativeError } from '../support/compare.js';
import { GoldenArrays } from '../support/golden-arrays.js';

/** Results are stored as float32. */
const TOLERANCE = 1e-6;

describe('statistics against scikit-learn and scipy', () => {
  let golden: GoldenArrays;
  const numbers = (name: string) => [...golden.array(name).data].map(Number);

  beforeAll(async () => {
    golden = await GoldenArrays.read('metrics-statistics');
  });

  it('overlaps masks as scikit-learn does, empty, full and one-pixel ones among them', () => {
    const { data } = golden.array('in.masks');
    const masks = Array.from({ length: 6 }, (_, k): MaskPixels => {
      return { width: 31, height: 19, data: (data as Int32Array).subarray(k * 589, (k + 1) * 589) };
    });
    const actual = masks.flatMap((a) => masks.flatMap((b) => [diceCoefficient(a, b), iou(a, b)]));
    expect(relativeError(actual, numbers('out.overlaps'))).toBeLessThan(TOLERANCE);
  });

  it('draws the ROC curve and its area, with ties', () => {
    const { points, auc } = rocCurve(numbers('in.present'), numbers('in.absent'));
    const curve = points.flatMap(({ falsePositiveRate, detectionRate }) => [falsePositiveRate, detectionRate]);
    expect(relativeError(curve, numbers('out.roc'))).toBeLessThan(TOLERANCE);
    const thresholds = points.slice(1).map(({ threshold }) => threshold);
    expect(relativeError(thresholds, numbers('out.thresholds'))).toBeLessThan(TOLERANCE);
    expect(relativeError([auc], numbers('out.auc'))).toBeLessThan(TOLERANCE);
  });

  it('tests pairs: few and many, with and without ties', () => {
    const actual = ['small', 'large', 'ties', 'largeties'].flatMap((name) => {
      const { statistic, p } = wilcoxonSignedRank(numbers(`in.${name}.a`), numbers(`in.${name}.b`));
      return [statistic, p];
    });
    const expected = numbers('out.wilcoxon');
    const ps = (values: readonly number[]) => values.filter((_, k) => k % 2 === 1);
    expect(relativeError(actual, expected)).toBeLessThan(TOLERANCE);
    expect(relativeError(ps(actual), ps(expected))).toBeLessThan(TOLERANCE);
  });

  it('ranks, correlates and corrects', () => {
    expect(midranks(numbers('in.y'))).toEqual(numbers('out.ranks'));
    expect(relativeError([spearman(numbers('in.x'), numbers('in.y'))], numbers('out.spearman'))).toBeLessThan(TOLERANCE);
    expect(relativeError(holm(numbers('in.ps')), numbers('out.holm'))).toBeLessThan(TOLERANCE);
  });
});

/** The integral of the normal density from z on, by Simpson's rule. */
function normalTail(z: number): number {
  const steps = 20_000;
  const h = 12 / steps;
  let sum = 0;
  for (let i = 0; i <= steps; i++) sum += (i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2) * Math.exp(-((z + i * h) ** 2) / 2);
  return (sum * h) / 3 / Math.sqrt(2 * Math.PI);
}

describe('statistics at the edges', () => {
  it('tests pairs that do not differ, and refuses lists of other lengths', () => {
    expect(wilcoxonSignedRank([1, 2], [1, 2])).toEqual({ statistic: 0, p: 1, n: 0 });
    expect(wilcoxonSignedRank([2], [1])).toEqual({ statistic: 0, p: 1, n: 1 });
    expect(() => wilcoxonSignedRank([1], [])).toThrow(RangeError);
    // All in favour: two of 2^n sign patterns, up to 50 pairs; the normal distribution is far off in its tail.
    const inFavour = (n: number) =>
      wilcoxonSignedRank(
        Array.from({ length: n }, (_, i) => i + 1),
        new Array<number>(n).fill(0),
      ).p;
    expect(inFavour(50) * 2 ** 49).toBeCloseTo(1, 6);
    expect(inFavour(51) * 2 ** 50).toBeGreaterThan(1e4);
    expect(holm([])).toEqual([]);
  });

  it('lets no more false positives through than the given rate', () => {
    const absent = Array.from({ length: 40 }, (_, i) => i / 40);
    for (const rate of [0, 0.05, 0.15, 0.5, 1]) {
      const threshold = thresholdForFalsePositives(absent, rate);
      expect(absent.filter((score) => score >= threshold)).toHaveLength(Math.floor(40 * rate + 1e-9));
    }
    const tied = [0.2, 0.4, 0.4, 0.4];
    expect(tied.filter((score) => score >= thresholdForFalsePositives(tied, 0.5))).toHaveLength(0);
    expect(() => thresholdForFalsePositives([], 0.1)).toThrow(RangeError);
    expect(() => thresholdForFalsePositives([1], 5)).toThrow(RangeError);
    expect(rocCurve([0.3], []).auc).toBeNaN();
    expect(rocCurve([1, 1], [0]).auc).toBe(1);
  });

  it.each([
    ['near even', 33],
    ['at three deviations', 14],
    ['far out', 2],
    ['all on one side', 0],
  ])('takes the p-value of more than 50 pairs from the normal tail: %s', (_name, reversed) => {
    const n = 70;
    // The first pairs of each rank order differ the other way.
    const a = Array.from({ length: n }, (_, i) => (i >= n - reversed ? -1 : 1) * (i + 1));
    const { statistic, p } = wilcoxonSignedRank(a, new Array<number>(n).fill(0));
    const below = a.reduce((sum, value) => sum + (value < 0 ? -value : 0), 0);
    expect(statistic).toBe(Math.min(below, (n * (n + 1)) / 2 - below));
    const z = (statistic - (n * (n + 1)) / 4) / Math.sqrt((n * (n + 1) * (2 * n + 1)) / 24);
    expect(p / (2 * normalTail(-z))).toBeCloseTo(1, 9);
  });

  it('refuses scores that are NaN, by which no threshold would ever be passed', () => {
    expect(() => rocCurve([0.5, Number.NaN], [0.1])).toThrow('rocCurve: a score is NaN');
    expect(() => rocCurve([0.5], [Number.NaN])).toThrow(RangeError);
    expect(() => thresholdForFalsePositives([0.1, Number.NaN], 0.5)).toThrow('thresholdForFalsePositives: a score is NaN');
  });

  it('refuses rates outside [0, 1] by name', () => {
    for (const rate of [-0.1, 1.1, Number.NaN])
      expect(() => thresholdForFalsePositives([1], rate)).toThrow(`thresholdForFalsePositives: ${rate} is not a share`);
    expect(() => thresholdForFalsePositives([], 0.5)).toThrow('there is no score');
  });

  it('draws whole groups: alike images of a patient widen the interval, and fewer than two groups have none', () => {
    const rng = Rng.seeded(4);
    const patients = Array.from({ length: 20 }, () => rng.normal(0.7, 0.2));
    const values = patients.flatMap((value) => [value, value, value, value, value]);
    const own = values.map((_, i) => String(i));
    const shared = values.map((_, i) => String(Math.floor(i / 5)));
    const width = ({ low, high }: { low: number; high: number }) => high - low;
    const plain = groupedBootstrapInterval(values, own, { seed: 1 });
    // Five copies of each value carry the evidence of one: the interval is the square root of 5 times as wide.
    const ratio = width(groupedBootstrapInterval(values, shared, { seed: 1 })) / width(plain);
    expect(ratio).toBeGreaterThan(1.9);
    expect(ratio).toBeLessThan(2.6);
    const none = { low: Number.NaN, high: Number.NaN };
    expect(groupedBootstrapInterval([], [], { seed: 1 })).toEqual(none);
    expect(groupedBootstrapInterval([0.2, 0.8], ['a', 'a'], { seed: 1 })).toEqual(none);
    // Several patients of equal values have one, without width.
    expect(groupedBootstrapInterval([0.5, 0.5], ['a', 'b'], { seed: 1 })).toEqual({ low: 0.5, high: 0.5 });
  });

  it('sees a constant difference and none where there is none', () => {
    const values = [0.5, 0.6, 0.9, 0.2, 0.7];
    const groups = ['a', 'b', 'c', 'd', 'e'];
    const better = pairedBootstrap(
      values.map((value) => value + 0.1),
      values,
      groups,
      { seed: 2, draws: 999 },
    );
    expect(better.difference).toBeCloseTo(0.1, 12);
    expect(better.p).toBeCloseTo(2 / 1000, 12);
    const worse = pairedBootstrap(
      values.map((value) => value - 0.1),
      values,
      groups,
      { seed: 2, draws: 999 },
    );
    expect(worse.p).toBeCloseTo(2 / 1000, 12);
    expect(pairedBootstrap(values, values, groups, { seed: 2 }).p).toBe(1);
  });

  it('claims nothing of one patient, nor of one image', () => {
    const higher = [0.9, 0.8, 0.9];
    const ofOne = pairedBootstrap(higher, [0.1, 0.2, 0.3], ['a', 'a', 'a'], { seed: 2 });
    expect([ofOne.p, ofOne.low, ofOne.high]).toEqual([1, Number.NaN, Number.NaN]);
    expect(ofOne.difference).toBeCloseTo(2 / 3, 12);
    expect(pairedBootstrap([0.9], [0.1], ['a'], { seed: 2 }).p).toBe(1);
    expect(pairedBootstrap(higher, [0.1, 0.2, 0.3], ['a', 'a', 'b'], { seed: 2 }).p).toBeLessThan(0.01);
  });

  it('gives a difference the interval of the differences, low below high, narrower for less confidence', () => {
    const rng = Rng.seeded(6);
    const [a, b] = [0.7, 0.6].map((level) => Array.from({ length: 30 }, () => rng.normal(level, 0.1))) as [number[], number[]];
    const groups = a.map((_, i) => `patient ${i % 12}`);
    const differences = a.map((value, i) => value - (b[i] as number));
    for (const confidence of [undefined, 0.8]) {
      const options = { seed: 2, ...(confidence === undefined ? {} : { confidence }) };
      const { low, high, difference } = pairedBootstrap(a, b, groups, options);
      expect({ low, high }).toEqual(groupedBootstrapInterval(differences, groups, options));
      expect(low).toBeLessThan(difference);
      expect(high).toBeGreaterThan(difference);
    }
    expect(pairedBootstrap(a, b, groups, { seed: 2 })).toEqual(pairedBootstrap(a, b, groups, { seed: 2, confidence: 0.95 }));
    const width = ({ low, high }: { low: number; high: number }) => high - low;
    const [wide, narrow] = [0.95, 0.5].map((confidence) => width(pairedBootstrap(a, b, groups, { seed: 2, confidence })));
    expect(narrow).toBeLessThan((wide as number) / 2);
  });

  it('refuses values without a partner or a group, and says how many there are', () => {
    expect(() => pairedBootstrap([1, 2], [1], ['a', 'b'], { seed: 1 })).toThrow('2 values are paired with 1');
    expect(() => groupedBootstrapInterval([1, 2], ['a'], { seed: 1 })).toThrow('2 values have 1 groups');
    expect(() => wilcoxonSignedRank([1, 2], [1])).toThrow('2 values are paired with 1');
    expect(() => spearman([1, 2], [1])).toThrow('2 values are paired with 1');
  });

  it('counts a border within the tolerance where it is just as far away', () => {
    const line = (x: number): MaskPixels => ({
      width: 6,
      height: 2,
      data: Array.from({ length: 12 }, (_, i) => Number(i % 6 === x)),
    });
    for (const score of [
      (tolerance: number) => normalisedSurfaceDistance(line(1), line(3), tolerance),
      (tolerance: number) => maskScores(line(1), line(3), tolerance).nsd,
    ])
      expect([score(1.999), score(2)]).toEqual([0, 1]);
  });

  it('scores a mask at once as one by one, wherever it lies', () => {
    const size = { width: 17, height: 12 };
    const rectangle = (x0: number, y0: number, x1: number, y1: number): MaskPixels => {
      const data = new Uint8Array(17 * 12);
      for (let y = y0; y < y1; y++) data.fill(1, y * 17 + x0, y * 17 + x1);
      return { ...size, data };
    };
    const masks = [rectangle(0, 0, 5, 4), rectangle(3, 2, 17, 12), rectangle(8, 6, 9, 7), rectangle(0, 0, 17, 12)];
    masks.push(rectangle(0, 0, 0, 0));
    for (const a of masks) {
      for (const b of masks) {
        const spacing = { x: 0.4, y: 0.9 };
        expect(maskScores(a, b, 1.1, spacing)).toEqual({
          dsc: diceCoefficient(a, b),
          iou: iou(a, b),
          hd95: hausdorff95(a, b, spacing),
          nsd: normalisedSurfaceDistance(a, b, 1.1, spacing),
        });
      }
    }
  });
});
