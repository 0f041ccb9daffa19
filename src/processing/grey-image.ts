import type { RasterImage } from '../imaging/index.js';

/** Brightness of a pixel as in Pillow's conversion to grey: ITU-R 601-2, in 16 fractional bits. */
export function luma(rgb: Uint8Array, at: number): number {
  const [r, g, b] = [rgb[at] as number, rgb[at + 1] as number, rgb[at + 2] as number];
  return (19595 * r + 38470 * g + 7471 * b + 0x8000) >> 16;
}

/** An image without its colours: three equal channels. */
export function greyImage({ width, height, data }: RasterImage): RasterImage {
  const grey = new Uint8Array(data.length);
  for (let at = 0; at < data.length; at += 3) grey.fill(luma(data, at), at, at + 3);
  return { width, height, data: grey };
}
