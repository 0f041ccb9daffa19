import type { BinaryMask, RasterImage } from '../imaging/index.js';

/** Flips an image left to right. */
export function mirrorImage({ width, height, data }: RasterImage): RasterImage {
  const mirrored = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * 3;
      mirrored.set(data.subarray(from, from + 3), (y * width + width - 1 - x) * 3);
    }
  }
  return { width, height, data: mirrored };
}

/** Flips a mask left to right. */
export function mirrorMask({ width, height, data }: BinaryMask): BinaryMask {
  const mirrored = new Uint8Array(data.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) mirrored[y * width + width - 1 - x] = data[y * width + x] as number;
  return { width, height, data: mirrored };
}

/** Swaps left and right in a phrase. */
export function mirrorPhrase(phrase: string): string {
  const other: Readonly<Record<string, string>> = { left: 'right', right: 'left' };
  return phrase.replace(/\b(left|right)\b/g, (side) => other[side] as string);
}
