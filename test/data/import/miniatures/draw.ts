import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { Rng } from '../../../../src/util/index.js';

/** Left, top, width, height. */
export type Box = readonly [number, number, number, number];

/** A rectangle of one value or colour. */
export interface Patch {
  readonly box: Box;
  /** Default: 255. */
  readonly value?: number | readonly [number, number, number];
}

export type Format = 'png' | 'jpg' | 'bmp' | 'tif';

/** Writes a file and the folders above it. */
export async function put(dir: string, file: string, content: Buffer | string): Promise<void> {
  const path = join(dir, file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}

/** A speckled grey image; the seed makes it its own. */
export async function scan(width: number, height: number, seed: number, format: Format = 'png'): Promise<Buffer> {
  const rng = Rng.seeded(seed, 7);
  const grey = Buffer.from(Array.from({ length: width * height }, () => 30 + rng.int(180)));
  return encode(grey, width, height, 1, format);
}

/** A mask of rectangles on black. */
export async function mask(
  width: number,
  height: number,
  patches: readonly (Box | Patch)[],
  format: Format = 'png',
): Promise<Buffer> {
  const whole = patches.map((patch): Patch => ('box' in patch ? patch : { box: patch }));
  const channels = whole.some(({ value }) => Array.isArray(value)) ? 3 : 1;
  return encode(paint(width, height, whole, channels), width, height, channels, format);
}

/** Grey values of a mask, row-major. */
export function paint(width: number, height: number, patches: readonly Patch[], channels: 1 | 3 = 1): Buffer {
  const data = Buffer.alloc(width * height * channels);
  for (const { box, value = 255 } of patches) {
    const [x0, y0, w, h] = box;
    for (let y = y0; y < y0 + h; y++)
      for (let x = x0; x < x0 + w; x++)
        for (let k = 0; k < channels; k++)
          data[(y * width + x) * channels + k] = typeof value === 'number' ? value : (value[k] as number);
  }
  return data;
}

async function encode(data: Buffer, width: number, height: number, channels: 1 | 3, format: Format): Promise<Buffer> {
  if (format === 'bmp') return bmp(data, width, height, channels);
  const image = sharp(data, { raw: { width, height, channels } });
  const grey = channels === 1 ? image.toColourspace('b-w') : image;
  switch (format) {
    case 'png':
      return grey.png().toBuffer();
    case 'jpg':
      // Coarse enough for rings around every edge.
      return grey.jpeg({ quality: 60 }).toBuffer();
    case 'tif':
      return grey.tiff({ compression: 'lzw' }).toBuffer();
  }
}

/** 24 bits a pixel, the last row first. */
function bmp(data: Buffer, width: number, height: number, channels: 1 | 3): Buffer {
  const row = Math.ceil((width * 3) / 4) * 4;
  const bytes = Buffer.alloc(54 + row * height);
  bytes.write('BM', 0, 'latin1');
  for (const [at, value] of [
    [2, bytes.length],
    [10, 54],
    [14, 40],
    [18, width],
    [22, height],
  ] as const)
    bytes.writeInt32LE(value, at);
  bytes.writeInt16LE(1, 26);
  bytes.writeInt16LE(24, 28);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let k = 0; k < 3; k++) {
        const from = (y * width + x) * channels + (channels === 3 ? 2 - k : 0);
        bytes[54 + (height - 1 - y) * row + x * 3 + k] = data[from] as number;
      }
  return bytes;
}
