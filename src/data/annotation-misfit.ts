import type { Size } from '../imaging/index.js';

/** Returns why a box (left, top, width, height in pixels) does not fit an image, or undefined if it does. */
export function boxMisfit(bbox: readonly [number, number, number, number], image: Size): string | undefined {
  const [x, y, w, h] = bbox;
  const shown = `its box [${bbox.join(', ')}]`;
  if (!(w > 0 && h > 0)) return `${shown} has no area`;
  if (isNormalised([x, y, x + w, y + h], image)) return `${shown} is ${NORMALISED}`;
  if (x >= image.width || y >= image.height || x + w <= 0 || y + h <= 0)
    return `${shown} lies outside the ${sizeText(image)} image`;
  return undefined;
}

/** Returns why polygons (lists x0, y0, x1, y1, … in pixels) do not fit an image, or undefined if they do. */
export function polygonsMisfit(polygons: readonly (readonly number[])[], image: Size): string | undefined {
  if (polygons.length === 0) return 'it has no polygon';
  if (polygons.every((polygon) => isNormalised(polygon, image))) return `its polygons are ${NORMALISED}`;
  if (polygons.every((polygon) => isOutside(polygon, image))) return `its polygons lie outside the ${sizeText(image)} image`;
  return undefined;
}

/** Returns why the size of an RLE (height, width) does not match an image, or undefined if it does. */
export function rleMisfit([height, width]: readonly [number, number], image: Size): string | undefined {
  if (width === image.width && height === image.height) return undefined;
  return `its RLE is for ${width}x${height}, the image is ${sizeText(image)}`;
}

/** An image size stated by an annotation file; either side may be missing. */
export interface StatedSize {
  readonly width?: number | undefined;
  readonly height?: number | undefined;
}

/**
 * Returns why an image's size contradicts its annotations, or undefined if it does not. A mere difference in scale is a misfit
 * too: whether the annotations were resized along with the images is unknown.
 *
 * @param by - the annotation file.
 */
export function sizeMisfit(stated: StatedSize, image: Size, by: string): string | undefined {
  const { width = image.width, height = image.height } = stated;
  if (width === image.width && height === image.height) return undefined;
  return `it is ${sizeText(image)}, but ${by} says ${width}x${height}`;
}

const NORMALISED = 'within 0 to 1: normalised coordinates, where pixels are expected';

/** Whether all values are fractions of the image's sides. In an image of one or two pixels they may be pixels. */
function isNormalised(values: readonly number[], { width, height }: Size): boolean {
  return Math.max(width, height) > 2 && values.every((value) => value >= 0 && value <= 1);
}

/** Whether a polygon lies entirely outside the image. Loops instead of spreading: polygons can exceed the argument limit. */
function isOutside(polygon: readonly number[], { width, height }: Size): boolean {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i + 1 < polygon.length; i += 2) {
    left = Math.min(left, polygon[i] as number);
    right = Math.max(right, polygon[i] as number);
    top = Math.min(top, polygon[i + 1] as number);
    bottom = Math.max(bottom, polygon[i + 1] as number);
  }
  return right <= 0 || bottom <= 0 || left >= width || top >= height;
}

function sizeText({ width, height }: Size): string {
  return `${width}x${height}`;
}
