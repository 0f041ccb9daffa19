import { type BinaryMask, type BoxXyxy, boxOfMask, findContours, labelComponents } from '../imaging/index.js';

/** A point in pixel edges: the centre of the first pixel is 0.5, 0.5. */
export type Point = readonly [x: number, y: number];

/** The largest connected part of a mask. */
export interface Part {
  /** Its outer contour, closed, without repeating the first point. In pixel edges. */
  readonly outline: readonly Point[];
  /** Its area in pixels, holes excluded. */
  readonly pixels: number;
  readonly centroid: Point;
  /** Number of 8-connected parts of the mask. */
  readonly parts: number;
  /** Share of the mask's pixels that this part has. */
  readonly share: number;
}

/**
 * The largest connected part of a mask with its outline by marching squares at level 0.5: the midpoints of all pixel edges between
 * inside and outside. Holes have no outline.
 *
 * @returns undefined for an empty mask.
 */
export function largestPart(mask: BinaryMask): Part | undefined {
  const box = boxOfMask(mask);
  if (box === undefined) return undefined;
  const [x0, y0] = box;
  const cut = cropped(mask, box);
  const { labels, areas } = labelComponents(cut);
  const pixels = areas.reduce((a, b) => Math.max(a, b), 0);
  const label = areas.indexOf(pixels) + 1;
  let [sumX, sumY] = [0, 0];
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] !== label) {
      cut.data[i] = 0;
      continue;
    }
    sumX += i % cut.width;
    sumY += Math.floor(i / cut.width);
  }
  const [contour] = findContours(cut);
  return {
    outline: midpoints(contour?.outer ?? []).map(([x, y]): Point => [x + x0, y + y0]),
    pixels,
    centroid: [sumX / pixels + x0 + 0.5, sumY / pixels + y0 + 0.5],
    parts: areas.length,
    share: pixels / areas.reduce((a, b) => a + b, 0),
  };
}

/** A copy of what lies in a box. */
function cropped({ width, data }: BinaryMask, [x0, y0, x1, y1]: BoxXyxy): BinaryMask {
  const cut = new Uint8Array((x1 - x0) * (y1 - y0));
  for (let y = y0; y < y1; y++) cut.set(data.subarray(y * width + x0, y * width + x1), (y - y0) * (x1 - x0));
  return { width: x1 - x0, height: y1 - y0, data: cut };
}

/** The midpoints of the pixel edges along a ring whose corners are joined by straight runs. */
function midpoints(ring: readonly number[]): Point[] {
  const points: Point[] = [];
  for (let i = 0; i < ring.length; i += 2) {
    const [x, y] = [ring[i] as number, ring[i + 1] as number];
    const [nextX, nextY] = [ring[(i + 2) % ring.length] as number, ring[(i + 3) % ring.length] as number];
    const steps = Math.abs(nextX - x) + Math.abs(nextY - y);
    const [dx, dy] = [Math.sign(nextX - x), Math.sign(nextY - y)];
    for (let k = 0; k < steps; k++) points.push([x + dx * (k + 0.5), y + dy * (k + 0.5)]);
  }
  return points;
}

/** Shortest wave that smoothing keeps, in points; outlines of fewer points would collapse. */
const SHORTEST = 16;

/** Weight of a smoothing step. */
const FORTH = 0.5;

/**
 * Smooths an outline by Taubin's filter: steps towards the neighbours, each followed by a slightly longer step back, so that the
 * outline does not shrink. The steps of the grid alone make an outline 5 % longer than what it shows. On a curve of n points they
 * are up to about √n points long, so waves of that length and shorter are removed. Over rotated ellipses the length of the result
 * is within half a pixel of the true circumference on average, whatever their size.
 *
 * @see Taubin, Curve and surface smoothing without shrinkage, ICCV 1995
 */
export function smoothed(points: readonly Point[]): readonly Point[] {
  if (points.length < SHORTEST) return points;
  const wave = Math.max(SHORTEST, Math.sqrt(points.length));
  // The pass band ends where 1 / FORTH + 1 / back equals the filter's frequency.
  const back = 1 / (1 - Math.cos((2 * Math.PI) / wave) - 1 / FORTH);
  const passes = Math.ceil(wave ** 2 / 4);
  let xs: Float64Array = Float64Array.from(points, ([x]) => x);
  let ys: Float64Array = Float64Array.from(points, ([, y]) => y);
  for (let step = 0; step < 2 * passes; step++) {
    const weight = step % 2 === 0 ? FORTH : back;
    [xs, ys] = [stepped(xs, weight), stepped(ys, weight)];
  }
  return points.map((_, i) => [xs[i] as number, ys[i] as number]);
}

/** Moves each value towards the mean of its two neighbours by a share of the distance. */
function stepped(values: Float64Array, weight: number): Float64Array {
  const n = values.length;
  return values.map((value, i) => {
    const mean = ((values[(i + n - 1) % n] as number) + (values[(i + 1) % n] as number)) / 2;
    return value + weight * (mean - value);
  });
}
