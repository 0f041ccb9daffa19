import type { Size } from './mask.js';
import type { RasterImage } from './raster-image.js';

/** For each target cell: where its source cells begin, and their shares. */
interface Taps {
  readonly first: Int32Array;
  readonly shares: readonly Float64Array[];
}

/**
 * Antialiased bilinear resampling, as Pillow's `BILINEAR` does it: a triangle that widens with the reduction, rows first,
 * each pass rounded to 8 bits.
 */
export function resizeImage(image: RasterImage, { width, height }: Size): RasterImage {
  if (image.width === width && image.height === height) return image;
  const across = tapsOf(image.width, width);
  const down = tapsOf(image.height, height);
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
    for (let x = 0; x < width; x++)
      blend(
        narrow,
        ((down.first[y] as number) * width + x) * 3,
        width * 3,
        down.shares[y] as Float64Array,
        out,
        (y * width + x) * 3,
      );
  }
  return { width, height, data: out };
}

/** The weighted sum of three channels along a line of pixels. */
function blend(source: Uint8Array, start: number, stride: number, shares: Float64Array, out: Uint8Array, to: number): void {
  for (let c = 0; c < 3; c++) {
    let sum = 0;
    for (let k = 0; k < shares.length; k++) sum += (shares[k] as number) * (source[start + k * stride + c] as number);
    out[to + c] = Math.min(255, Math.max(0, Math.floor(sum + 0.5)));
  }
}

function tapsOf(sourceSize: number, targetSize: number): Taps {
  const scale = sourceSize / targetSize;
  const support = Math.max(scale, 1);
  const first = new Int32Array(targetSize);
  const shares: Float64Array[] = [];
  for (let target = 0; target < targetSize; target++) {
    const centre = (target + 0.5) * scale;
    const begin = Math.max(0, Math.floor(centre - support + 0.5));
    const end = Math.min(sourceSize, Math.floor(centre + support + 0.5));
    const weights = Float64Array.from({ length: end - begin }, (_, k) =>
      Math.max(0, 1 - Math.abs((begin + k - centre + 0.5) / support)),
    );
    const sum = weights.reduce((a, b) => a + b, 0);
    first[target] = begin;
    shares.push(weights.map((weight) => weight / sum));
  }
  return { first, shares };
}
