import sharp from 'sharp';
import type { BinaryMask } from './mask.js';
import type { RasterImage } from './raster-image.js';

/** Encodes an image as PNG. */
export async function encodePng({ width, height, data }: RasterImage): Promise<Buffer> {
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

/** Encodes a mask as a PNG with values 0 and 255. */
export async function maskToPng({ width, height, data }: BinaryMask): Promise<Buffer> {
  const grey = new Uint8Array(data.length);
  for (let i = 0; i < grey.length; i++) grey[i] = (data[i] as number) * 255;
  return sharp(grey, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
}
