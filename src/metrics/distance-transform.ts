import type { MaskPixels } from './mask.js';

/** Width and height of a pixel, in the unit of the resulting distances. */
export interface Spacing {
  readonly x: number;
  readonly y: number;
}

/**
 * Exact distance from each pixel's centre to the nearest pixel centre of the mask; infinite for an empty mask. Counts
 * pixels along each column, then takes the lower envelope of parabolas along each row.
 *
 * @see Felzenszwalb and Huttenlocher 2012, Distance Transforms of Sampled Functions
 */
export function distanceTransform(mask: MaskPixels, spacing?: Spacing): Float64Array {
  const { width, height } = mask;
  const [squared, scratch] = [squaredToColumns(mask, spacing), newScratch(width)];
  for (let row = 0; row < height; row++) sweep(squared, { start: row * width, count: width, step: spacing?.x ?? 1 }, scratch);
  for (let i = 0; i < squared.length; i++) squared[i] = Math.sqrt(squared[i] as number);
  return squared;
}

/**
 * Distances, as of {@link distanceTransform}, from the set pixels of one mask to the nearest of another, in reading order. Rows
 * without a set pixel are not computed.
 */
export function distancesFrom(from: MaskPixels, to: MaskPixels, spacing?: Spacing): number[] {
  const { width, height } = from;
  const [squared, scratch] = [squaredToColumns(to, spacing), newScratch(width)];
  const distances: number[] = [];
  for (let row = 0; row < height; row++) {
    const start = row * width;
    let [first, last] = [0, width];
    while (first < width && from.data[start + first] === 0) first += 1;
    while (last > first && from.data[start + last - 1] === 0) last -= 1;
    if (first === last) continue;
    sweep(squared, { start, count: width, step: spacing?.x ?? 1 }, scratch);
    for (let i = start + first; i < start + last; i++) if (from.data[i] !== 0) distances.push(Math.sqrt(squared[i] as number));
  }
  return distances;
}

/** Squared distance of each pixel to the nearest set one of its column. */
function squaredToColumns({ width, height, data }: MaskPixels, spacing: Spacing | undefined): Float64Array {
  const step = spacing?.y ?? 1;
  const squared = new Float64Array(width * height);
  // Number of rows since the last set pixel of each column: downwards, then upwards. Upwards, what the way down has left is never
  // the least.
  const rows = new Float64Array(width).fill(Number.POSITIVE_INFINITY);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) squared[i] = rows[x] = data[i] === 0 ? (rows[x] as number) + 1 : 0;
  for (let y = height - 1; y >= 0; y--)
    for (let x = 0, i = y * width; x < width; x++, i++) {
      const above = squared[i] as number;
      const below = above === 0 ? 0 : (rows[x] as number) + 1;
      rows[x] = below;
      squared[i] = (Math.min(above, below) * step) ** 2;
    }
  return squared;
}

interface Line {
  readonly start: number;
  readonly count: number;
  /** Distance between neighbours. */
  readonly step: number;
}

/** Memory of {@link sweep}, for lines of a limited length. */
interface Scratch {
  readonly f: Float64Array;
  /** Vertices of the envelope's parabolas, left to right, and the position from which each is lowest. */
  readonly feet: Int32Array;
  readonly begins: Float64Array;
}

function newScratch(count: number): Scratch {
  return { f: new Float64Array(count), feet: new Int32Array(count), begins: new Float64Array(count) };
}

/** Replaces the values f along a line by the minimum over q of (p - q)² + f(q). */
function sweep(values: Float64Array, { start, count, step }: Line, { f, feet, begins }: Scratch): void {
  let top = -1;
  for (let q = 0; q < count; q++) {
    const own = values[start + q] as number;
    f[q] = own;
    if (own === Number.POSITIVE_INFINITY) continue;
    let crossing = Number.NEGATIVE_INFINITY;
    for (; top >= 0; top--) {
      crossing = crossingOf(feet[top] as number, q, f, step);
      // Always so at the first parabola, which begins at minus infinity.
      if (crossing > (begins[top] as number)) break;
    }
    top += 1;
    feet[top] = q;
    begins[top] = crossing;
  }
  if (top < 0) return;
  let k = 0;
  for (let p = 0; p < count; p++) {
    while (k < top && (begins[k + 1] as number) <= p * step) k += 1;
    const foot = feet[k] as number;
    values[start + p] = ((p - foot) * step) ** 2 + (f[foot] as number);
  }
}

/** The position from which the parabola at `q` is lower than the one at `v`, to its left. */
function crossingOf(v: number, q: number, f: Float64Array, step: number): number {
  const [pv, pq] = [v * step, q * step];
  return ((f[q] as number) + pq * pq - (f[v] as number) - pv * pv) / (2 * (pq - pv));
}
