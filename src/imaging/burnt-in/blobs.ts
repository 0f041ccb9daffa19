import type { Plane } from './plane.js';

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
      const [x, y] = [pixel % width, (pixel / width) | 0];
      area++;
      if (x < x0) x0 = x;
      if (x > x1) x1 = x;
      if (y < y0) y0 = y;
      if (y > y1) y1 = y;
      for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++)
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
          const i = v * width + u;
          if (labels[i] !== 0 || (data[i] as number) < threshold) continue;
          labels[i] = label;
          stack[top++] = i;
        }
    }
    const [w, h] = [x1 - x0 + 1, y1 - y0 + 1];
    if (h < sizes.minHeight || h > sizes.maxHeight || w > sizes.maxWidth) continue;
    blobs.push(measure(plane, labels, label, threshold, sizes.reach, { x0, y0, x1, y1, area }));
  }
  return blobs;
}

type Bounds = Pick<Blob, 'x0' | 'y0' | 'x1' | 'y1' | 'area'>;

function measure(
  { width, height, data }: Plane,
  labels: Int32Array,
  label: number,
  threshold: number,
  reach: number,
  blob: Bounds,
): Blob {
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
  for (let v = Math.max(0, level - PLATEAU); v < 256; v++) plateau += counts[v] as number;
  let [sum, n] = [0, 0];
  for (let y = Math.max(0, y0 - reach); y <= Math.min(height - 1, y1 + reach); y++)
    for (let x = Math.max(0, x0 - reach); x <= Math.min(width - 1, x1 + reach); x++) {
      const i = y * width + x;
      if ((data[i] as number) >= threshold || !isAtDistance(reach, labels, label, x, y, width, height)) continue;
      sum += data[i] as number;
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

/** Whether the nearest pixel of a blob is `reach` pixels away. */
function isAtDistance(
  reach: number,
  labels: Int32Array,
  label: number,
  x: number,
  y: number,
  width: number,
  height: number,
): boolean {
  let far = false;
  for (let v = Math.max(0, y - reach); v <= Math.min(height - 1, y + reach); v++)
    for (let u = Math.max(0, x - reach); u <= Math.min(width - 1, x + reach); u++) {
      if (labels[v * width + u] !== label) continue;
      if (Math.abs(u - x) < reach && Math.abs(v - y) < reach) return false;
      far = true;
    }
  return far;
}
