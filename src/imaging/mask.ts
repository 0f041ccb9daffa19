import { DataError } from '../util/index.js';

/** A binary mask: 1 or 0 per pixel, row-major. */
export interface BinaryMask {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** A grey image, 0 to 255, row-major. */
export type GreyMap = BinaryMask;

/** Width and height, in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Left, top, right, bottom of a box in pixel edges: a box around one pixel has width 1. */
export type BoxXyxy = readonly [number, number, number, number];

/** The mask as nested booleans: `[y][x]`. */
export function maskToBooleans({ width, height, data }: BinaryMask): boolean[][] {
  return Array.from({ length: height }, (_, y) => Array.from(data.subarray(y * width, (y + 1) * width), (value) => value === 1));
}

/** Nearest-neighbour resizing with half-pixel centres. */
export function resizeMask(mask: BinaryMask, { width, height }: Size): BinaryMask {
  if (mask.width === width && mask.height === height) return mask;
  const data = new Uint8Array(width * height);
  const columns = Array.from({ length: width }, (_, x) => Math.min(mask.width - 1, Math.floor(((x + 0.5) * mask.width) / width)));
  for (let y = 0; y < height; y++) {
    const row = Math.min(mask.height - 1, Math.floor(((y + 0.5) * mask.height) / height)) * mask.width;
    for (let x = 0; x < width; x++) data[y * width + x] = mask.data[row + (columns[x] as number)] as number;
  }
  return { width, height, data };
}

/** Averages a grey image over the area of each target pixel and thresholds at half brightness. */
export function resizeGreyMask(grey: GreyMap, { width, height }: Size): BinaryMask {
  const wide = averageRows(grey.data, grey.width, grey.height, width);
  const turned = averageRows(transpose(wide, width, grey.height), grey.height, width, height);
  return { width, height, data: Uint8Array.from(transpose(turned, height, width), (value) => Number(value >= 127.5)) };
}

/** Resamples each row of a [height, width] image to `target` cells by area weighting. */
function averageRows(data: ArrayLike<number>, width: number, height: number, target: number): Float32Array {
  const out = new Float32Array(target * height);
  const scale = width / target;
  for (let x = 0; x < target; x++) {
    const [from, to] = [x * scale, (x + 1) * scale];
    for (let source = Math.floor(from); source < Math.min(width, Math.ceil(to)); source++) {
      const share = (Math.min(to, source + 1) - Math.max(from, source)) / scale;
      for (let y = 0; y < height; y++)
        out[y * target + x] = (out[y * target + x] as number) + share * (data[y * width + source] as number);
    }
  }
  return out;
}

function transpose(data: Float32Array, width: number, height: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) out[x * height + y] = data[y * width + x] as number;
  return out;
}

/** The area of a mask in pixels. */
export function maskArea({ data }: BinaryMask): number {
  return data.reduce((sum, value) => sum + value, 0);
}

/** The tightest box around a mask; undefined if it is empty. */
export function boxOfMask({ width, height, data }: BinaryMask): BoxXyxy | undefined {
  let [x0, y0, x1, y1] = [width, height, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (data[y * width + x] === 0) continue;
      x0 = Math.min(x0, x);
      x1 = Math.max(x1, x + 1);
      y0 = Math.min(y0, y);
      y1 = Math.max(y1, y + 1);
    }
  }
  return x1 === 0 ? undefined : [x0, y0, x1, y1];
}

/**
 * Resamples a mask to an image's grid.
 *
 * @param grey - from `decodeGreyMask`: values from 128 are inside.
 * @param where - name of the mask in errors.
 * @throws DataError when its aspect ratio differs from the image's, or when its content is too small for the image's grid.
 */
export function fitMask(grey: GreyMap, image: Size, where: string): BinaryMask {
  const ratio = (grey.width * image.height) / (grey.height * image.width);
  if (Math.abs(ratio - 1) > 0.02) {
    const what = `the mask is ${grey.width}x${grey.height}, its image ${image.width}x${image.height}`;
    throw new DataError({ code: 'E_MASK_SIZE', where, what, fix: 'Mask and image must have the same proportions' });
  }
  return notLost(resizeGreyMask(grey, image), grey, where);
}

/** @throws DataError when a non-empty mask became empty on its image's grid. */
export function notLost(fitted: BinaryMask, grey: GreyMap, where: string): BinaryMask {
  if (fitted.data.includes(1) || !grey.data.some((value) => value >= 128)) return fitted;
  const what = `the mask shows something in ${grey.width}x${grey.height} pixels and nothing in the image's ${fitted.width}x${fitted.height}`;
  throw new DataError({ code: 'E_MASK_SIZE', where, what, fix: 'Give a mask in the size of its image' });
}
