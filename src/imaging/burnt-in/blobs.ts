import type { Plane } from './plane.js';

/** Loops over pixels look up globals slowly in some contexts. */
const { floor, max, min } = Math;

/** A connected bright area at a threshold: perhaps a letter. Bounds are inclusive. */
export interface Blob {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
  readonly area: number;
  /** Level of its brightest tenth, 0 to 255. */
  readonly level: number;
  /** Fraction of its pixels near that level: letters are drawn in a single level, echoes have peaks. */
  readonly flat: number;
  /** Its level over that of its surroundings two pixels away. */
  readonly contrast: number;
  /** Mean number of strokes that a row of pixels crosses. */
  readonly strokes: number;
}

/** Sizes of blobs to measure, in pixels. */
export interface BlobSizes {
  readonly minHeight: number;
  readonly maxHeight: number;
  readonly maxWidth: number;
  /** Distance of the surroundings that its contrast is measured against. */
  readonly reach: number;
  /** Blobs less flat than this are left out. */
  readonly minFlat: number;
}

/** Pixels within this of a blob's level belong to its plateau. */
const PLATEAU = 16;

/** Labels 8-connected areas of at least `threshold` and measures those of the given sizes. */
export function findBlobs(plane: Plane, threshold: number, sizes: BlobSizes): Blob[] {
  const { width, height, data } = plane;
  const labels = new Int32Array(width * height);
  const stack = new Int32Array(width * height);
  const blobs: Blob[] = [];
  let label = 0;
  for (let start = 0; start < data.length; start++) {
    if ((data[start] as number) < threshold || labels[start] !== 0) continue;
    label++;
    let [x0, y0, x1, y1, area, top] = [width, height, 0, 0, 0, 1];
    stack[0] = start;
    labels[start] = label;
    while (top > 0) {
      const pixel = stack[--top] as number;
      const y = (pixel / width) | 0;
      const x = pixel - y * width;
      area++;
      if (x < x0) x0 = x;
      if (x > x1) x1 = x;
      if (y < y0) y0 = y;
      if (y > y1) y1 = y;
      for (let v = max(0, y - 1); v <= min(height - 1, y + 1); v++)
        for (let u = max(0, x - 1); u <= min(width - 1, x + 1); u++) {
          const i = v * width + u;
          if (labels[i] !== 0 || (data[i] as number) < threshold) continue;
          labels[i] = label;
          stack[top++] = i;
        }
    }
    const [w, h] = [x1 - x0 + 1, y1 - y0 + 1];
    if (h < sizes.minHeight || h > sizes.maxHeight || w > sizes.maxWidth) continue;
    const blob = measure(plane, labels, label, threshold, sizes, { x0, y0, x1, y1, area });
    if (blob !== undefined) blobs.push(blob);
  }
  return blobs;
}

type Bounds = Pick<Blob, 'x0' | 'y0' | 'x1' | 'y1' | 'area'>;

function measure(
  { width, height, data }: Plane,
  labels: Int32Array,
  label: number,
  threshold: number,
  { reach, minFlat }: BlobSizes,
  blob: Bounds,
): Blob | undefined {
  const { x0, y0, x1, y1, area } = blob;
  const counts = new Uint32Array(256);
  let runs = 0;
  for (let y = y0; y <= y1; y++)
    for (let x = x0, inside = false; x <= x1; x++) {
      const i = y * width + x;
      const own = labels[i] === label;
      if (own) (counts[data[i] as number] as number)++;
      if (own && !inside) runs++;
      inside = own;
    }
  let [level, above] = [255, 0];
  while (level > 0 && above + (counts[level] as number) < area * 0.1) above += counts[level--] as number;
  let plateau = 0;
  for (let v = max(0, level - PLATEAU); v < 256; v++) plateau += counts[v] as number;
  if (plateau / area < minFlat) return undefined;
  const [left, top] = [max(0, x0 - reach), max(0, y0 - reach)];
  const [w, h] = [min(width - 1, x1 + reach) - left + 1, min(height - 1, y1 + reach) - top + 1];
  const distances = distancesTo(labels, label, width, left, top, w, h, reach + 1);
  let [sum, n] = [0, 0];
  for (let i = 0; i < distances.length; i++) {
    if (distances[i] !== reach) continue;
    const level = data[(top + floor(i / w)) * width + left + (i % w)] as number;
    if (level >= threshold) continue;
    sum += level;
    n++;
  }
  return {
    ...blob,
    level,
    flat: plateau / area,
    contrast: n === 0 ? 0 : level - sum / n,
    strokes: runs / (y1 - y0 + 1),
  };
}

/** Chessboard distances to a blob within a box, up to a limit: down and to the right, then back. */
function distancesTo(
  labels: Int32Array,
  label: number,
  width: number,
  left: number,
  top: number,
  w: number,
  h: number,
  most: number,
): Uint8Array {
  const out = new Uint8Array(w * h);
  const at = (x: number, y: number) => (x < 0 || y < 0 || x >= w || y >= h ? most : (out[y * w + x] as number));
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) {
      const own = labels[(top + y) * width + left + x] === label;
      const near = min(at(x - 1, y), at(x - 1, y - 1), at(x, y - 1), at(x + 1, y - 1));
      out[y * w + x] = own ? 0 : min(most, near + 1);
    }
  for (let y = h - 1; y >= 0; y--)
    for (let x = w - 1; x >= 0; x--) {
      const near = min(at(x + 1, y), at(x + 1, y + 1), at(x, y + 1), at(x - 1, y + 1));
      out[y * w + x] = min(at(x, y), near + 1);
    }
  return out;
}
