import type { RasterImage } from '../raster-image.js';

/** Brightest channel of the pixels that count, and how far the darkest one lies below it, at least. */
const [BRIGHT, COLOURED] = [120, 0.45];

/** The share of bright pixels that flow colours, at least. White or grey letters on flow leave less. */
const SHARE = 0.85;

/** The spread of colours of flow, at least: its maps run from red to yellow, or to blue. Letters have one colour. */
const SPREAD = 0.12;

/**
 * Whether the bright part of a box is colour or power Doppler: nearly all of it coloured, in many colours.
 *
 * @param box - in pixels; bounds are inclusive.
 */
export function isFlow(
  { width, data }: RasterImage,
  { x0, y0, x1, y1 }: { readonly x0: number; readonly y0: number; readonly x1: number; readonly y1: number },
): boolean {
  let [bright, coloured, sum, squares] = [0, 0, 0, 0];
  for (let y = y0; y <= y1; y++) {
    for (let x = x0; x <= x1; x++) {
      const i = 3 * (y * width + x);
      const [r, g, b] = [data[i] ?? 0, data[i + 1] ?? 0, data[i + 2] ?? 0];
      const most = Math.max(r, g, b);
      if (most < BRIGHT) continue;
      bright += 1;
      if (most - Math.min(r, g, b) < COLOURED * most) continue;
      coloured += 1;
      // Where the middle channel lies between the others tells one hue of a map from the next.
      const share = (r + g + b - most - Math.min(r, g, b)) / most;
      sum += share;
      squares += share * share;
    }
  }
  if (coloured < SHARE * bright || coloured === 0) return false;
  const mean = sum / coloured;
  return Math.sqrt(Math.max(0, squares / coloured - mean * mean)) > SPREAD;
}
