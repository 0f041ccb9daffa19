import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  averagePrecision,
  type BoxCorners,
  diceCoefficient,
  distanceTransform,
  groupedBootstrapInterval,
  hausdorff95,
  iou,
  type MaskPixels,
  mean,
  normalisedSurfaceDistance,
  populationStd,
  quantile,
  type Spacing,
} from '../../src/metrics/index.js';
import { relativeError } from '../support/compare.js';
import { GoldenArrays } from '../support/golden-arrays.js';

/** Results are stored as float32. */
const TOLERANCE = 1e-6;

describe('metrics against scipy, numpy and pycocotools', () => {
  let golden: GoldenArrays;
  let masks: MaskPixels[];
  let spacing: Spacing;
  let tolerance: number;

  beforeAll(async () => {
    golden = await GoldenArrays.read('metrics-images');
    masks = rows(golden, 'in.masks').map((data) => ({ width: 37, height: 23, data }));
    const [y, x] = numbers(golden, 'in.spacing') as [number, number];
    spacing = { x, y };
    [tolerance = 0] = numbers(golden, 'in.tolerance');
  });

  it('scores every pair of masks, empty, full and one-pixel ones among them', () => {
    const expected = numbers(golden, 'out.scores');
    const actual = rows(golden, 'out.pairs').flatMap(([i = 0, j = 0]) => {
      const [a, b] = [masks[i] as MaskPixels, masks[j] as MaskPixels];
      const nsd = normalisedSurfaceDistance(a, b, tolerance, spacing);
      return [diceCoefficient(a, b), iou(a, b), hausdorff95(a, b, spacing), nsd];
    });
    expect(masks).toHaveLength(9);
    expect(relativeError(actual, expected)).toBeLessThan(TOLERANCE);
    // Overlaps are far smaller than distances: judge them on their own.
    const overlaps = (values: readonly number[]) => values.filter((_, k) => k % 4 !== 2);
    expect(relativeError(overlaps(actual), overlaps(expected))).toBeLessThan(TOLERANCE);
  });

  it('measures distances exactly, with pixels that are not square', () => {
    const actual = masks
      .filter(({ data }) => [...(data as Int32Array)].includes(1))
      .map((mask) => distanceTransform(mask, spacing));
    const expected = rows(golden, 'out.distances');
    expect(actual).toHaveLength(expected.length);
    for (const [i, distances] of actual.entries())
      expect(relativeError([...distances], expected[i] as number[])).toBeLessThan(TOLERANCE);
  });

  it('takes means, deviations and quantiles', () => {
    const values = numbers(golden, 'in.values');
    const actual = [mean(values), populationStd(values), ...[0, 0.025, 0.5, 0.95, 1].map((share) => quantile(values, share))];
    expect(relativeError(actual, numbers(golden, 'out.statistics'))).toBeLessThan(TOLERANCE);
  });

  it('puts the bootstrap interval where the normal approximation has it', () => {
    const values = numbers(golden, 'in.values');
    const half = (1.96 * populationStd(values)) / Math.sqrt(values.length);
    const groups = values.map((_, i) => String(i));
    const interval = (seed: number) => groupedBootstrapInterval(values, groups, { seed });
    const { low, high } = interval(3);
    // 2000 draws place a 2.5% quantile to within about a tenth of the standard error.
    expect(Math.abs(low - (mean(values) - half))).toBeLessThan(0.15 * half);
    expect(Math.abs(high - (mean(values) + half))).toBeLessThan(0.15 * half);
    expect(interval(3)).toEqual({ low, high });
    expect(interval(4)).not.toEqual({ low, high });
  });

  it('counts average precision as COCO does', () => {
    const truth = rows(golden, 'in.truth');
    const predicted = rows(golden, 'in.predicted');
    const images = Array.from({ length: 6 }, (_, image) => ({
      truth: truth.filter(([i]) => i === image).map(([, label, ...box]) => ({ label: `${label}`, box: corners(box) })),
      predicted: predicted
        .filter(([i]) => i === image)
        .map(([, label, x0, y0, x1, y1, score]) => ({ label: `${label}`, box: corners([x0, y0, x1, y1]), score: score ?? 0 })),
    }));
    const { ap, ap50, ap75, perLabel } = averagePrecision(images);
    const actual = [ap, ap50, ap75, ...Object.values(perLabel)];
    expect(Object.keys(perLabel)).toEqual(['0', '1', '2']);
    expect(relativeError(actual, numbers(golden, 'out.ap'))).toBeLessThan(TOLERANCE);
  });
});

function numbers(golden: GoldenArrays, name: string): number[] {
  return Array.from(golden.array(name).data as ArrayLike<number>);
}

/** The slices of an array along its first axis. */
function rows(golden: GoldenArrays, name: string): number[][] {
  const { shape } = golden.array(name);
  const values = numbers(golden, name);
  const size = values.length / (shape[0] ?? 1);
  return Array.from({ length: shape[0] ?? 0 }, (_, i) => values.slice(i * size, (i + 1) * size));
}

function corners(values: readonly (number | undefined)[]): BoxCorners {
  return values as unknown as BoxCorners;
}
