import type { Size } from './mask.js';
import type { RasterImage } from './raster-image.js';

/** Weight of neighbours by distance in source cells, up to `support`. */
interface Filter {
  readonly support: number;
  readonly weight: (distance: number) => number;
}

const FILTERS = {
  bilinear: { support: 1, weight: (x: number) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, weight: (x: number) => cubic(Math.abs(x)) },
} as const satisfies Record<string, Filter>;

export type FilterName = keyof typeof FILTERS;

/** Keys' cubic convolution with a = -0.5. */
function cubic(x: number): number {
  const a = -0.5;
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/** Weights are fixed-point with this many fractional bits, as in Pillow: equal rounding gives equal pixels. */
const SHARE_BITS = 22;
const ONE = 2 ** SHARE_BITS;

/** For each target cell: its first source cell, and the weights in units of 1 / {@link ONE}. */
interface Taps {
  readonly first: Int32Array;
  readonly shares: readonly Float64Array[];
}

/**
 * Antialiased resampling, bit-exact with Pillow: a filter that widens with the reduction, rows first, each pass rounded to 8
 * bits.
 *
 * @see Pillow, `src/libImaging/Resample.c`
 */
export function resizeImage(image: RasterImage, { width, height }: Size, filter: FilterName = 'bilinear'): RasterImage {
  if (image.width === width && image.height === height) return image;
  const across = tapsOf(image.width, width, FILTERS[filter]);
  const down = tapsOf(image.height, height, FILTERS[filter]);
  const narrow = new Uint8Array(width * image.height * 3);
  for (let y = 0; y < image.height; y++) {
    for (let x = 0; x < width; x++)
      blend(
        image.data,
        (y * image.width + (across.first[x] as number)) * 3,
        3,
        across.shares[x] as Float64Array,
        narrow,
        (y * width + x) * 3,
      );
  }
  const out = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const start = (down.first[y] as number) * width;
    const shares = down.shares[y] as Float64Array;
    for (let x = 0; x < width; x++) blend(narrow, (start + x) * 3, width * 3, shares, out, (y * width + x) * 3);
  }
  return { width, height, data: out };
}

/** Weighted sum of three channels along a line of pixels. */
function blend(source: Uint8Array, start: number, stride: number, shares: Float64Array, out: Uint8Array, to: number): void {
  let [r, g, b] = [ONE / 2, ONE / 2, ONE / 2];
  for (let k = 0, at = start; k < shares.length; k++, at += stride) {
    const share = shares[k] as number;
    r += share * (source[at] as number);
    g += share * (source[at + 1] as number);
    b += share * (source[at + 2] as number);
  }
  out[to] = level(r);
  out[to + 1] = level(g);
  out[to + 2] = level(b);
}

/** In the innermost loop: comparisons instead of calls, and truncation, which equals floor above 0. */
function level(sum: number): number {
  const value = sum / ONE;
  return value <= 0 ? 0 : value >= 255 ? 255 : value | 0;
}

function tapsOf(sourceSize: number, targetSize: number, { support, weight }: Filter): Taps {
  const scale = sourceSize / targetSize;
  const widening = Math.max(scale, 1);
  const reach = support * widening;
  const first = new Int32Array(targetSize);
  const shares: Float64Array[] = [];
  for (let target = 0; target < targetSize; target++) {
    const centre = (target + 0.5) * scale;
    const begin = Math.max(0, Math.trunc(centre - reach + 0.5));
    const end = Math.min(sourceSize, Math.trunc(centre + reach + 0.5));
    const weights = Float64Array.from({ length: end - begin }, (_, k) => weight((begin + k - centre + 0.5) / widening));
    const sum = weights.reduce((a, b) => a + b, 0);
    first[target] = begin;
    shares.push(weights.map((value) => roundAway((value / sum) * ONE)));
  }
  return { first, shares };
}

/** Rounds to the nearest integer, halves away from zero. */
function roundAway(x: number): number {
  return Math.trunc(x + Math.sign(x) * 0.5);
}
