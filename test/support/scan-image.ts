import sharp from 'sharp';
import type { RasterImage } from '../../src/imaging/index.js';

export interface ScanOptions {
  readonly width?: number;
  readonly height?: number;
  readonly seed?: number;
  /** Mean level of the echoes. */
  readonly level?: number;
  /** Colour of the echoes; grey by default. */
  readonly tint?: readonly [number, number, number];
}

/** Whether a pixel is in the fan of {@link scanImage}: the probe above its middle, 35 degrees to either side. */
export function inFan(x: number, y: number, width: number, height: number): boolean {
  const [dx, dy] = [x - width / 2, y + 0.1 * height];
  const radius = Math.hypot(dx, dy);
  return radius > 0.28 * height && radius < 0.98 * height && Math.abs(Math.atan2(dx, dy)) < (35 / 180) * Math.PI;
}

/** A fan of speckle on black, as scanners show it. */
export function scanImage({ width = 320, height = 240, seed = 1, level = 90, tint = [1, 1, 1] }: ScanOptions = {}): RasterImage {
  let state = seed * 2654435761 + 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const noise = Float64Array.from({ length: width * height }, () => Math.sqrt(-2 * Math.log(1 - random())));
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      if (!inFan(x, y, width, height)) continue;
      // Speckle is wider than deep.
      let sum = 0;
      for (let u = -2; u <= 2; u++) sum += noise[y * width + Math.min(width - 1, Math.max(0, x + u))] as number;
      const depth = 1 - (0.5 * y) / height;
      for (let c = 0; c < 3; c++) data[3 * (y * width + x) + c] = Math.min(255, (sum / 6) * level * depth * (tint[c] as number));
    }
  return { width, height, data };
}

export interface DrawnText {
  readonly text: string;
  readonly x: number;
  /** Of the baseline. */
  readonly y: number;
  readonly size: number;
  readonly font?: string;
  readonly colour?: string;
}

/** Draws texts into an image; `ink` has the pixels that they cover. */
export async function withText(
  image: RasterImage,
  texts: readonly DrawnText[],
): Promise<{ readonly image: RasterImage; readonly ink: Uint8Array }> {
  const { width, height, data } = image;
  const lines = texts.map(
    ({ text, x, y, size, font = 'sans-serif', colour = '#fff' }) =>
      `<text x="${x}" y="${y}" font-family="${font}" font-size="${size}" fill="${colour}">${text}</text>`,
  );
  const svg = Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${lines.join('')}</svg>`);
  const raw = { raw: { width, height, channels: 3 as const } };
  const drawn = await sharp(data, raw)
    .composite([{ input: svg }])
    .removeAlpha()
    .raw()
    .toBuffer();
  const alone = await sharp({ create: { width, height, channels: 3, background: '#000' } })
    .composite([{ input: svg }])
    .removeAlpha()
    .raw()
    .toBuffer();
  const ink = Uint8Array.from({ length: width * height }, (_, i) => Number(Math.max(...alone.subarray(3 * i, 3 * i + 3)) > 80));
  return { image: { width, height, data: new Uint8Array(drawn) }, ink };
}

/** Share of the ink that boxes cover. */
export function covered(
  ink: Uint8Array,
  width: number,
  boxes: readonly { readonly x0: number; readonly y0: number; readonly x1: number; readonly y1: number }[],
): number {
  let [all, under] = [0, 0];
  for (const [i, value] of ink.entries()) {
    if (value === 0) continue;
    const [x, y] = [i % width, Math.floor(i / width)];
    all++;
    if (boxes.some((box) => x >= box.x0 && x <= box.x1 && y >= box.y0 && y <= box.y1)) under++;
  }
  return all === 0 ? Number.NaN : under / all;
}
