import { type BinaryMask, polygonsToMask, type Size } from '../../../imaging/index.js';

/**
 * Rasterises a polygon with pixel vertices as annotation tools draw it: its interior and the pixels under its outline.
 *
 * @param polygon - x0, y0, x1, y1, … as pixel indices.
 * @see OpenCV's `fillPoly`, which produced the masks of such datasets
 */
export function drawnPolygon(polygon: readonly number[], size: Size): BinaryMask {
  // Pixel indices denote pixel centres.
  const mask = polygonsToMask([polygon.map((value) => value + 0.5)], size);
  for (let k = 0; k < polygon.length; k += 2) {
    const next = (k + 2) % polygon.length;
    drawLine(mask, polygon[k] as number, polygon[k + 1] as number, polygon[next] as number, polygon[next + 1] as number);
  }
  return mask;
}

/** One pixel per step along the longer axis. */
function drawLine({ width, height, data }: BinaryMask, x0: number, y0: number, x1: number, y1: number): void {
  const steps = Math.max(1, Math.ceil(Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0))));
  // Bounds the cost of a vertex far outside the image.
  if (steps > 16 * (width + height)) return;
  for (let step = 0; step <= steps; step++) {
    const x = Math.round(x0 + ((x1 - x0) * step) / steps);
    const y = Math.round(y0 + ((y1 - y0) * step) / steps);
    if (x >= 0 && y >= 0 && x < width && y < height) data[y * width + x] = 1;
  }
}
