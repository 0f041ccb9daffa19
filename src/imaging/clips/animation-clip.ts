import sharp, { type Metadata } from 'sharp';
import { DataError } from '../../util/index.js';
import type { RasterImage } from '../raster-image.js';
import type { ClipSource } from './clip-source.js';

/** Pixels of all frames decoded at once. A frame of an animation builds on those before it, which are decoded each time. */
const AHEAD_PIXELS = 8e6;
const AHEAD_FRAMES = 32;

const MAX_PIXELS = 100_000_000;

/** The frames of an animated WebP or GIF; of any other image of the library, its only one. */
export async function animationClip(bytes: Buffer, file: string): Promise<ClipSource> {
  const meta = await sharp(bytes, { limitInputPixels: false, pages: -1 })
    .metadata()
    .catch((cause: unknown) => {
      throw unreadable(file, cause);
    });
  const { pages: frames = 1, width, delay } = meta;
  const height = meta.pageHeight ?? meta.height;
  if (width * height > MAX_PIXELS)
    throw new DataError({
      code: 'E_IMAGE_TOO_LARGE',
      where: file,
      what: `its frames are ${width}x${height} pixels; up to ${MAX_PIXELS / 1e6} million are read`,
      fix: 'Check the file, or make it smaller',
    });
  const ahead = Math.max(1, Math.min(AHEAD_FRAMES, Math.floor(AHEAD_PIXELS / (width * height))));
  return {
    name: file,
    frames,
    width,
    height,
    frameSeconds: secondsOf(delay),
    notices: [],
    address: (index) => `${file}#${index}`,
    async decode(index) {
      const count = Math.min(ahead, frames - index);
      // A damaged frame must not be blamed on the one before it.
      const decoded = count > 1 ? await decodePages(bytes, index, count, meta).catch(() => undefined) : undefined;
      if (decoded !== undefined) return { first: index, images: decoded };
      const images = await decodePages(bytes, index, 1, meta).catch((cause: unknown) => {
        throw new DataError({
          code: 'E_IMAGE_DAMAGED',
          where: file,
          what: 'it cannot be decoded: the file is damaged or cut off',
          fix: 'Copy or export it again',
          cause,
        });
      });
      return { first: index, images };
    },
  };
}

async function decodePages(bytes: Buffer, page: number, pages: number, { format }: Metadata): Promise<RasterImage[]> {
  const animated = format === 'webp' || format === 'gif';
  const { data, info } = await sharp(bytes, { limitInputPixels: false, ...(animated && { page, pages }) })
    .flatten({ background: '#000' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const { width, channels } = info;
  const height = info.height / pages;
  const size = width * height * channels;
  return Array.from({ length: pages }, (_, k) => {
    const own = data.subarray(k * size, (k + 1) * size);
    return { width, height, data: channels === 3 ? Uint8Array.from(own) : threeOf(own) };
  });
}

/** Grey as RGB. */
function threeOf(grey: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(grey.length * 3);
  for (let i = 0; i < grey.length; i++) rgb.fill(grey[i] as number, i * 3, i * 3 + 3);
  return rgb;
}

/** The mean of the delays, which are in milliseconds. */
function secondsOf(delay: readonly number[] | undefined): number | undefined {
  const total = (delay ?? []).reduce((sum, ms) => sum + ms, 0);
  return delay === undefined || total <= 0 ? undefined : total / delay.length / 1000;
}

function unreadable(file: string, cause: unknown): DataError {
  return new DataError({
    code: 'E_IMAGE_UNREADABLE',
    where: file,
    what: 'it cannot be read as a clip',
    fix: 'Clips are DICOM, TIFF, animated WebP or GIF, folders of numbered frames, and MP4, AVI or MOV',
    cause,
  });
}
