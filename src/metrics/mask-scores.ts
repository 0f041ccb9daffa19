import type { Spacing } from './distance-transform.js';
import { assertSameGrid, countPixels, type MaskPixels } from './mask.js';
import { quantile } from './statistics.js';
import { surfaceDistances } from './surface-distance.js';

/** Agreement of two masks. */
export interface MaskScores {
  /** Dice coefficient, a fraction in [0, 1]. */
  readonly dsc: number;
  /** Intersection over union, a fraction in [0, 1]. */
  readonly iou: number;
  /** In the unit of the spacing; infinite if exactly one mask is empty. */
  readonly hd95: number;
  /** Normalised surface distance, a fraction in [0, 1]. */
  readonly nsd: number;
}

/**
 * Computes all scores of a mask at once: equal to `diceCoefficient`, `iou`, `hausdorff95` and `normalisedSurfaceDistance`, but
 * boundaries and distances are computed only once, and only around the masks.
 *
 * @param tolerance - boundary distance tolerance, in the unit of `spacing` (pixels by default).
 * @throws SonogroundError when the masks lie on different grids.
 */
export function maskScores(predicted: MaskPixels, truth: MaskPixels, tolerance: number, spacing?: Spacing): MaskScores {
  assertSameGrid(predicted, truth);
  const { predicted: a, truth: b, shared } = countPixels(predicted, truth);
  if (a + b === 0) return { dsc: 1, iou: 1, hd95: 0, nsd: 1 };
  const overlap = { dsc: (2 * shared) / (a + b), iou: shared / (a + b - shared) };
  if (a === 0 || b === 0) return { ...overlap, hd95: Number.POSITIVE_INFINITY, nsd: 0 };
  const window = windowOf(predicted, truth);
  const { toTruth, toPredicted } = surfaceDistances(crop(predicted, window), crop(truth, window), spacing);
  const near = (distances: readonly number[]) => distances.reduce((count, distance) => count + Number(distance <= tolerance), 0);
  return {
    ...overlap,
    hd95: Math.max(quantile(toTruth, 0.95), quantile(toPredicted, 0.95)),
    nsd: (near(toTruth) + near(toPredicted)) / (toTruth.length + toPredicted.length),
  };
}

type Window = readonly [x0: number, y0: number, x1: number, y1: number];

/** The smallest window containing both masks. Boundaries and distances within it equal those of the full masks. */
function windowOf({ width, height, data }: MaskPixels, { data: other }: MaskPixels): Window {
  let [x0, y0, x1, y1] = [width, -1, 0, 0];
  for (let y = 0; y < height; y++) {
    const row = y * width;
    let [first, last] = [0, width];
    while (first < width && data[row + first] === 0 && other[row + first] === 0) first += 1;
    if (first === width) continue;
    while (data[row + last - 1] === 0 && other[row + last - 1] === 0) last -= 1;
    if (first < x0) x0 = first;
    if (last > x1) x1 = last;
    if (y0 < 0) y0 = y;
    y1 = y + 1;
  }
  return [x0, y0, x1, y1];
}

function crop({ width, data }: MaskPixels, [x0, y0, x1, y1]: Window): MaskPixels {
  const size = { width: x1 - x0, height: y1 - y0 };
  const part = new Uint8Array(size.width * size.height);
  for (let y = y0; y < y1; y++)
    for (let x = x0; x < x1; x++) if (data[y * width + x] !== 0) part[(y - y0) * size.width + x - x0] = 1;
  return { ...size, data: part };
}
