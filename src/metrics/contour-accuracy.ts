import { distanceTransform } from './distance-transform.js';
import { assertSameGrid, type MaskPixels } from './mask.js';

/** Tolerance of DAVIS, relative to the image's diagonal. */
const TOLERANCE = 0.008;

/**
 * Contour accuracy F of DAVIS, as a fraction in [0, 1]: the harmonic mean of the shares of both contours that lie within 0.8 % of
 * the image's diagonal of the other, rounded up to pixels. Two masks without a contour agree: 1; one alone without: 0.
 *
 * @see Perazzi et al. 2016, A Benchmark Dataset and Evaluation Methodology for Video Object Segmentation; davis2017-evaluation
 */
export function contourAccuracy(predicted: MaskPixels, truth: MaskPixels): number {
  assertSameGrid(predicted, truth);
  const radius = Math.ceil(TOLERANCE * Math.hypot(predicted.width, predicted.height));
  const [a, b] = [contourOf(predicted), contourOf(truth)];
  const [precision, recall] = [shareNear(a, b, radius), shareNear(b, a, radius)];
  if (precision === undefined || recall === undefined) return precision === recall ? 1 : 0;
  return precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
}

/** Pixels that differ from their neighbour to the right, below, or below on the right. */
function contourOf({ width, height, data }: MaskPixels): MaskPixels {
  const at = (x: number, y: number) => data[y * width + x] !== 0;
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const own = at(x, y);
      const [right, below] = [x + 1 < width, y + 1 < height];
      const differs = (right && own !== at(x + 1, y)) || (below && own !== at(x, y + 1));
      out[y * width + x] = Number(differs || (right && below && own !== at(x + 1, y + 1)));
    }
  return { width, height, data: out };
}

/** The share of a contour within `radius` of another; undefined if there is no contour. */
function shareNear(contour: MaskPixels, other: MaskPixels, radius: number): number | undefined {
  const distance = distanceTransform(other);
  let [all, near] = [0, 0];
  for (let i = 0; i < contour.data.length; i++) {
    if (contour.data[i] === 0) continue;
    all += 1;
    if ((distance[i] as number) <= radius + 1e-6) near += 1;
  }
  return all === 0 ? undefined : near / all;
}
