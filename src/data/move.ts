import type { BinaryMask, RasterImage } from '../processing/index.js';

/** A place in the source for a place in the result, as x' = a x + b y + c and y' = d x + e y + f, in pixels. */
export type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** A result of a size and where its pixels come from. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly affine: Affine;
}

/** The image seen through a frame, bilinear; black outside. */
export function moveImage(image: RasterImage, { width, height, affine: [a, b, c, d, e, f] }: Frame): RasterImage {
  const { data } = image;
  const out = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const sx = a * (x + 0.5) + b * (y + 0.5) + c - 0.5;
      const sy = d * (x + 0.5) + e * (y + 0.5) + f - 0.5;
      if (sx < -0.5 || sy < -0.5 || sx > image.width - 0.5 || sy > image.height - 0.5) continue;
      const [x0, y0] = [Math.max(0, Math.floor(sx)), Math.max(0, Math.floor(sy))];
      const [x1, y1] = [Math.min(image.width - 1, x0 + 1), Math.min(image.height - 1, y0 + 1)];
      const [fx, fy] = [Math.max(0, sx - x0), Math.max(0, sy - y0)];
      for (let k = 0; k < 3; k++) {
        const at = (px: number, py: number) => data[(py * image.width + px) * 3 + k] as number;
        const upper = at(x0, y0) * (1 - fx) + at(x1, y0) * fx;
        const lower = at(x0, y1) * (1 - fx) + at(x1, y1) * fx;
        out[(y * width + x) * 3 + k] = Math.round(upper * (1 - fy) + lower * fy);
      }
    }
  }
  return { width, height, data: out };
}

/** The mask seen through a frame, nearest; nothing outside. */
export function moveMask(mask: BinaryMask, { width, height, affine: [a, b, c, d, e, f] }: Frame): BinaryMask {
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const sx = Math.floor(a * (x + 0.5) + b * (y + 0.5) + c);
      const sy = Math.floor(d * (x + 0.5) + e * (y + 0.5) + f);
      if (sx >= 0 && sy >= 0 && sx < mask.width && sy < mask.height)
        out[y * width + x] = mask.data[sy * mask.width + sx] as number;
    }
  }
  return { width, height, data: out };
}

/** A mirrored image shows on the left what was on the right. */
export function swapSides(phrase: string): string {
  return phrase.replace(/\b(left|right)\b/g, (side) => (side === 'left' ? 'right' : 'left'));
}
