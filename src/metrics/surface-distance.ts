import { distancesFrom, type Spacing } from './distance-transform.js';
import { assertSameGrid, type MaskPixels } from './mask.js';
import { quantile } from './statistics.js';

/**
 * 95th percentile Hausdorff distance: the larger of the two directed 95th percentiles (linear interpolation) of the distances
 * from one boundary to the other, in the unit of `spacing` (pixels by default). 0 if both masks are empty; infinite if exactly
 * one is.
 *
 * @see Maier-Hein et al. 2024, Metrics Reloaded
 */
export function hausdorff95(predicted: MaskPixels, truth: MaskPixels, spacing?: Spacing): number {
  const { toTruth, toPredicted } = surfaceDistances(predicted, truth, spacing);
  if (toTruth.length === 0 && toPredicted.length === 0) return 0;
  if (toTruth.length === 0 || toPredicted.length === 0) return Number.POSITIVE_INFINITY;
  return Math.max(quantile(toTruth, 0.95), quantile(toPredicted, 0.95));
}

/**
 * Normalised surface distance: the fraction of both boundaries within `tolerance` of the other one, in [0, 1]. 1 if both masks
 * are empty; 0 if exactly one is.
 *
 * @see Nikolov et al. 2021, which measures boundaries by surfels; here each boundary pixel counts once
 */
export function normalisedSurfaceDistance(
  predicted: MaskPixels,
  truth: MaskPixels,
  tolerance: number,
  spacing?: Spacing,
): number {
  const { toTruth, toPredicted } = surfaceDistances(predicted, truth, spacing);
  const all = [...toTruth, ...toPredicted];
  if (all.length === 0) return 1;
  if (toTruth.length === 0 || toPredicted.length === 0) return 0;
  return all.filter((distance) => distance <= tolerance).length / all.length;
}

/** Distances from each boundary pixel of one mask to the boundary of the other, in reading order. */
export interface SurfaceDistances {
  readonly toTruth: readonly number[];
  readonly toPredicted: readonly number[];
}

/** @throws SonogroundError when the masks lie on different grids. */
export function surfaceDistances(predicted: MaskPixels, truth: MaskPixels, spacing?: Spacing): SurfaceDistances {
  assertSameGrid(predicted, truth);
  const [a, b] = [borderOf(predicted), borderOf(truth)];
  return { toTruth: distancesFrom(a, b, spacing), toPredicted: distancesFrom(b, a, spacing) };
}

/** The boundary pixels of a mask: those with a 4-neighbour outside it; everything beyond the image counts as outside. */
function borderOf({ width, height, data }: MaskPixels): MaskPixels {
  const border = new Uint8Array(width * height);
  for (let y = 0, i = 0; y < height; y++) {
    const edge = y === 0 || y === height - 1;
    for (let x = 0; x < width; x++, i++) {
      if (data[i] === 0) continue;
      const atEdge = edge || x === 0 || x === width - 1;
      if (atEdge || data[i - 1] === 0 || data[i + 1] === 0 || data[i - width] === 0 || data[i + width] === 0) border[i] = 1;
    }
  }
  return { width, height, data: border };
}
