import { labelComponents } from '../components.js';
import type { BinaryMask } from '../mask.js';
import { convexHull, fillConvex, type Point } from './convex-hull.js';
import type { TextBox } from './find-text.js';
import { brightest, darkest, type Plane } from './plane.js';

/** Loops over pixels look up globals slowly in some contexts. */
const { ceil, floor, max, min, round } = Math;

/** Where echoes are: a fan, a rectangle, or several of them side by side. */
export interface Tissue {
  readonly mask: BinaryMask;
  /** How it was found: by what moves in a clip, or by the texture of a still image. */
  readonly by: 'motion' | 'texture';
  /** Fraction of its convex outline that shows echoes: low for a scatter of marks. */
  readonly filled: number;
}

/** The search runs on cells of a grid of about this many along the longer side. */
const CELLS = 256;

/** Range of levels among neighbours: echoes are speckled, graphics and background flat. */
const [STRONG, WEAK] = [6, 2];

/** Change of a pixel's level over a clip: more than compression causes. */
const MOVES = 8;

/** Share of the longer side that echoes are wider than and text is not. */
const THICK = 0.05;

/** Parts smaller than this share of the largest are not scans. */
const PART = 0.2;

/**
 * Finds the echoes of an image or clip: what is speckled, or moves, over an area thicker than text, and the convex hull of each
 * part.
 *
 * @param planes - brightness of one image, or of frames of a clip.
 * @param text - text boxes, which are not echoes.
 * @returns undefined if there are none.
 */
export function findTissue(planes: readonly Plane[], text: readonly TextBox[]): Tissue | undefined {
  const [first] = planes as [Plane];
  if (planes.length > 1) {
    const [high, low] = [brightest(planes), darkest(planes)];
    const range = { ...first, data: high.data.map((level, i) => level - (low.data[i] as number)) };
    const moving = tissueOf(range, MOVES, MOVES, text);
    if (moving !== undefined && moving.share > MIN_MOVING) return { ...moving, by: 'motion' };
  }
  const still = tissueOf(localRange(first), STRONG, WEAK, text);
  return still === undefined ? undefined : { ...still, by: 'texture' };
}

/** Less moves in a frozen clip: a clock, a heart rate. */
const MIN_MOVING = 0.03;

/** Smaller finds are marks. */
const MIN_SHARE = 0.02;

function tissueOf(activity: Plane, strong: number, weak: number, text: readonly TextBox[]) {
  const { width, height } = activity;
  const step = max(1, ceil(max(width, height) / CELLS));
  const [w, h] = [ceil(width / step), ceil(height / step)];
  const radius = max(2, round((THICK * max(w, h)) / 2));
  const seeds = opened(dense(activity, strong, step, w, h, text), w, h, radius);
  const reach = opened(dense(activity, weak, step, w, h, text), w, h, radius);
  const cells = reach.map((value, i) => value | (seeds[i] as number));
  const { labels, areas } = labelComponents({ width: w, height: h, data: cells });
  const seeded = new Float64Array(areas.length);
  for (const [i, label] of labels.entries())
    if (label > 0 && seeds[i] === 1) seeded[label - 1] = (seeded[label - 1] as number) + 1;
  const largest = max(0, ...seeded);
  if (largest < MIN_SHARE * w * h) return undefined;
  const mask = new Uint8Array(width * height);
  const outline = new Uint8Array(w * h);
  let filled = 0;
  for (const [index, area] of seeded.entries()) {
    if (area < PART * largest) continue;
    const points = rimOf(labels, index + 1, w, h);
    fillConvex(convexHull(points), outline, w, h);
    const scaled = points.flatMap(([x, y]): Point[] => [
      [x * step, y * step],
      [min(width - 1, (x + 1) * step - 1), min(height - 1, (y + 1) * step - 1)],
      [x * step, min(height - 1, (y + 1) * step - 1)],
      [min(width - 1, (x + 1) * step - 1), y * step],
    ]);
    fillConvex(convexHull(scaled), mask, width, height);
    filled += areas[index] as number;
  }
  const share = outline.reduce((sum, value) => sum + value, 0) / (w * h);
  return { mask: { width, height, data: mask }, filled: filled / (share * w * h), share };
}

/** The leftmost and rightmost cell of each row of a component. */
function rimOf(labels: Int32Array, label: number, w: number, h: number): Point[] {
  const points: Point[] = [];
  for (let y = 0; y < h; y++) {
    let [from, to] = [-1, -1];
    for (let x = 0; x < w; x++) {
      if (labels[y * w + x] !== label) continue;
      if (from < 0) from = x;
      to = x;
    }
    if (from >= 0) points.push([from, y], [to, y]);
  }
  return points;
}

/** The range of levels in the 3x3 pixels around each. */
function localRange({ width, height, data }: Plane): Plane {
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      let [low, high] = [255, 0];
      for (let v = max(0, y - 1); v <= min(height - 1, y + 1); v++)
        for (let u = max(0, x - 1); u <= min(width - 1, x + 1); u++) {
          const level = data[v * width + u] as number;
          if (level < low) low = level;
          if (level > high) high = level;
        }
      out[y * width + x] = high - low;
    }
  return { width, height, data: out };
}

/** Cells of which at least half of the pixels around are active, text excepted. */
function dense(plane: Plane, level: number, step: number, w: number, h: number, text: readonly TextBox[]): Uint8Array {
  const { width, height, data } = plane;
  const active = new Float64Array(w * h);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if ((data[y * width + x] as number) >= level) {
        const cell = floor(y / step) * w + floor(x / step);
        active[cell] = (active[cell] as number) + 1;
      }
  for (const { x0, y0, x1, y1 } of text)
    for (let y = floor(y0 / step); y <= floor(y1 / step); y++)
      active.fill(0, y * w + floor(x0 / step), y * w + floor(x1 / step) + 1);
  const out = new Uint8Array(w * h);
  const radius = 2;
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) {
      let [sum, n] = [0, 0];
      for (let v = max(0, y - radius); v <= min(h - 1, y + radius); v++)
        for (let u = max(0, x - radius); u <= min(w - 1, x + radius); u++) {
          sum += active[v * w + u] as number;
          n += step * step;
        }
      out[y * w + x] = Number(sum >= 0.5 * n);
    }
  return out;
}

/** Morphological opening by a square; outside of the grid counts as inside, so that images cropped to the echoes stay whole. */
function opened(cells: Uint8Array, w: number, h: number, radius: number): Uint8Array {
  const eroded = spread(
    cells.map((value) => 1 - value),
    w,
    h,
    radius,
  ).map((value) => 1 - value);
  return spread(eroded, w, h, radius);
}

/** Dilation by a square, along rows and then along columns. */
function spread(cells: Uint8Array, w: number, h: number, radius: number): Uint8Array {
  const across = new Uint8Array(cells.length);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++)
      if (cells[y * w + x] === 1) across.fill(1, y * w + max(0, x - radius), y * w + min(w - 1, x + radius) + 1);
  const out = new Uint8Array(cells.length);
  for (let x = 0; x < w; x++)
    for (let y = 0; y < h; y++)
      if (across[y * w + x] === 1) for (let v = max(0, y - radius); v <= min(h - 1, y + radius); v++) out[v * w + x] = 1;
  return out;
}
