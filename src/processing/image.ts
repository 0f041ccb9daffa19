import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { DataError } from '../util/index.js';
import { decodeBmp, isBmp } from './bmp.js';
import type { RasterImage } from './raster-image.js';

/** Pixels above which a file is refused: a decoding bomb, or a mistake. */
const MAX_PIXELS = 100_000_000;

/**
 * Reads a PNG, JPEG, TIFF, WebP or BMP. Grey becomes RGB, 16 bit become 8, transparency lies over black, EXIF rotation is
 * applied.
 *
 * @param source - a file name, or the bytes of a file.
 * @throws DataError naming the file when it is missing or cannot be decoded.
 */
export async function decodeImage(source: string | Buffer): Promise<RasterImage> {
  const bytes = await readImageFile(source);
  const where = nameOf(source);
  if (isBmp(bytes)) return decodeBmp(bytes, where);
  try {
    const { data, info } = await sharp(bytes, { limitInputPixels: MAX_PIXELS })
      .rotate()
      .flatten({ background: '#000' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, data: toRgb(data, info.channels) };
  } catch (cause) {
    throw new DataError({
      where,
      what: 'it cannot be read as an image',
      fix: 'Check that it is a complete PNG, JPEG, TIFF, WebP or BMP file',
      cause,
    });
  }
}

/** The bytes of an image file, or an error that names it. */
export async function readImageFile(source: string | Buffer): Promise<Buffer> {
  if (typeof source !== 'string') return source;
  return readFile(source).catch((cause: NodeJS.ErrnoException) => {
    const what = cause.code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${cause.code})`;
    throw new DataError({ where: source, what, fix: 'Check the path', cause });
  });
}

/** What an error calls an image. */
export function nameOf(source: string | Buffer): string {
  return typeof source === 'string' ? source : 'image';
}

function toRgb(data: Buffer, channels: number): Uint8Array {
  if (channels === 3) return new Uint8Array(data);
  const pixels = data.length / channels;
  const rgb = new Uint8Array(pixels * 3);
  for (let i = 0; i < pixels; i++) rgb.fill(data[i * channels] as number, i * 3, i * 3 + 3);
  return rgb;
}

/** The image as PNG bytes. */
export async function encodePng({ width, height, data }: RasterImage): Promise<Buffer> {
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}
