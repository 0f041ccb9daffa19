import { type BinaryMask, type RasterImage, resizeImage, resizeMask } from '../imaging/index.js';
import { luma } from './grey-image.js';

/**
 * An image in UniverSeg's input format: stretched to a square, grey, its darkest pixel 0 and its brightest 1. An image of one
 * brightness becomes 0.
 *
 * @param side - of the square, in pixels.
 * @returns [side, side], row-major.
 * @see JJGO/UniverSeg, `README.md` and `example_data`: Pillow's bilinear resizing and grey, then min-max
 */
export function greyInput(image: RasterImage, side: number): Float32Array<ArrayBuffer> {
  const { data } = resizeImage(image, { width: side, height: side });
  const grey = Float32Array.from({ length: side * side }, (_, i) => luma(data, 3 * i));
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of grey) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const range = high > low ? high - low : 1;
  return grey.map((value) => (value - low) / range);
}

/**
 * A mask in UniverSeg's input format: stretched to a square by nearest neighbours.
 *
 * @returns [side, side] of 0 and 1, row-major.
 */
export function maskInput(mask: BinaryMask, side: number): Float32Array<ArrayBuffer> {
  return Float32Array.from(resizeMask(mask, { width: side, height: side }).data);
}
