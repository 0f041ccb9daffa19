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

/** The mask as a grey image: 255 inside. */
export function greyOfMask({ width, height, data }: BinaryMask): GreyMap {
  return { width, height, data: data.map((value) => value * 255) };
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
  if (grey.width === width && grey.height === height) return insideOf(grey);
  const wide = averageColumns(grey, width);
  const data = new Uint8Array(width * height);
  const row = new Float32Array(width);
  for (const [y, spans] of spansOf(grey.height, height).entries()) {
    row.fill(0);
    for (const { source, share } of spans)
      for (let x = 0; x < width; x++) row[x] = (row[x] as number) + share * (wide[source * width + x] as number);
    for (let x = 0; x < width; x++) if ((row[x] as number) >= 127.5) data[y * width + x] = 1;
  }
  return { width, height, data };
}

/** A mask on the grey image's own grid. */
function insideOf({ width, height, data }: GreyMap): BinaryMask {
  const inside = new Uint8Array(data.length);
  for (let i = 0; i < inside.length; i++) if ((data[i] as number) >= 128) inside[i] = 1;
  return { width, height, data: inside };
}

/** Resamples each row of a grey image to `width` cells by area weighting, [height, width]. */
function averageColumns(grey: GreyMap, width: number): Float32Array {
  const out = new Float32Array(width * grey.height);
  for (const [x, spans] of spansOf(grey.width, width).entries())
    for (let y = 0; y < grey.height; y++) {
      let sum = 0;
      // Rounded at each step, so that masks do not depend on the order of the loops.
      for (const { source, share } of spans) sum = Math.fround(sum + share * (grey.data[y * grey.width + source] as number));
      out[y * width + x] = sum;
    }
  return out;
}

/** The cells that each of `target` equal parts of `count` cells covers, with their shares of the part. */
function spansOf(count: number, target: number): { readonly source: number; readonly share: number }[][] {
  const scale = count / target;
  return Array.from({ length: target }, (_, cell) => {
    const [from, to] = [cell * scale, (cell + 1) * scale];
    const first = Math.floor(from);
    return Array.from({ length: Math.max(0, Math.min(count, Math.ceil(to)) - first) }, (_, k) => ({
      source: first + k,
      share: (Math.min(to, first + k + 1) - Math.max(from, first + k)) / scale,
    }));
  });
}

/** The area of a mask in pixels. */
export function maskArea({ data }: BinaryMask): number {
  let area = 0;
  for (let i = 0; i < data.length; i++) area += data[i] as number;
  return area;
}

/** The tightest box around a mask; undefined if it is empty. */
export function boxOfMask({ width, height, data }: BinaryMask): BoxXyxy | undefined {
  let [x0, y0, x1, y1] = [width, 0, 0, 0];
  for (let y = 0; y < height; y++) {
    const [first, last] = [rowStart(data, y * width, width), rowEnd(data, y * width, width)];
    if (first >= last) continue;
    if (x1 === 0) y0 = y;
    y1 = y + 1;
    x0 = Math.min(x0, first);
    x1 = Math.max(x1, last);
  }
  return x1 === 0 ? undefined : [x0, y0, x1, y1];
}

/** The first set column of a row, or the width of an empty one. */
function rowStart(data: Uint8Array, row: number, width: number): number {
  let x = 0;
  while (x < width && data[row + x] === 0) x += 1;
  return x;
}

/** The column after the last set one, or 0. */
function rowEnd(data: Uint8Array, row: number, width: number): number {
  let x = width;
  while (x > 0 && data[row + x - 1] === 0) x -= 1;
  return x;
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
  if (fitted.data.includes(1) || !insideOf(grey).data.includes(1)) return fitted;
  const what = `the mask shows something in ${grey.width}x${grey.height} pixels and nothing in the image's ${fitted.width}x${fitted.height}`;
  throw new DataError({ code: 'E_MASK_SIZE', where, what, fix: 'Give a mask in the size of its image' });
}
