import type { MaskPixels } from './mask.js';

/** Width and height of a pixel, in the unit of the resulting distances. */
export interface Spacing {
  readonly x: number;
  readonly y: number;
}

/**
 * Exact distance from each pixel's centre to the nearest pixel centre of the mask; infinite for an empty mask. Takes the lower
 * envelope of parabolas along each column, then along each row.
 *
 * @see Felzenszwalb and Huttenlocher 2012, Distance Transforms of Sampled Functions
 */
export function distanceTransform({ width, height, data }: MaskPixels, { x, y }: Spacing = { x: 1, y: 1 }): Float64Array {
  const squared = Float64Array.from({ length: width * height }, (_, i) => (data[i] === 0 ? Number.POSITIVE_INFINITY : 0));
  for (let column = 0; column < width; column++) sweep(squared, { start: column, stride: width, count: height, step: y });
  for (let row = 0; row < height; row++) sweep(squared, { start: row * width, stride: 1, count: width, step: x });
  return squared.map(Math.sqrt);
}

interface Line {
  readonly start: number;
  readonly stride: number;
  readonly count: number;
  /** Distance between neighbours. */
  readonly step: number;
}

/** Replaces the values f along a line by the minimum over q of (p - q)² + f(q). */
function sweep(values: Float64Array, { start, stride, count, step }: Line): void {
  const f = Float64Array.from({ length: count }, (_, i) => values[start + i * stride] as number);
  /** Vertices of the envelope's parabolas, left to right, and the position from which each is lowest. */
  const feet: number[] = [];
  const begins: number[] = [];
  for (let q = 0; q < count; q++) {
    if (f[q] === Number.POSITIVE_INFINITY) continue;
    let crossing = Number.NEGATIVE_INFINITY;
    while (feet.length > 0) {
      crossing = crossingOf(feet[feet.length - 1] as number, q, f, step);
      if (crossing > (begins[begins.length - 1] as number)) break;
      feet.pop();
      begins.pop();
      crossing = Number.NEGATIVE_INFINITY;
    }
    feet.push(q);
    begins.push(crossing);
  }
  if (feet.length === 0) return;
  let k = 0;
  for (let p = 0; p < count; p++) {
    while (k + 1 < feet.length && (begins[k + 1] as number) <= p * step) k += 1;
    const foot = feet[k] as number;
    values[start + p * stride] = ((p - foot) * step) ** 2 + (f[foot] as number);
  }
}

/** The position from which the parabola at `q` is lower than the one at `v`, to its left. */
function crossingOf(v: number, q: number, f: Float64Array, step: number): number {
  const [pv, pq] = [v * step, q * step];
  return ((f[q] as number) + pq * pq - (f[v] as number) - pv * pv) / (2 * (pq - pv));
}
