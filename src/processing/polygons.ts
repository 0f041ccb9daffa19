import type { BinaryMask, Size } from './mask.js';

/** Fills polygons, each a list x0, y0, x1, y1, … in pixels; a pixel belongs to one when its centre lies inside (even-odd rule). */
export function polygonsToMask(polygons: readonly (readonly number[])[], { width, height }: Size): BinaryMask {
  const data = new Uint8Array(width * height);
  for (const polygon of polygons) {
    for (let y = 0; y < height; y++) {
      const crossings = crossingsAt(polygon, y + 0.5).sort((a, b) => a - b);
      for (let k = 0; k + 1 < crossings.length; k += 2) {
        const from = Math.max(0, Math.ceil((crossings[k] as number) - 0.5));
        const to = Math.min(width, Math.ceil((crossings[k + 1] as number) - 0.5));
        if (to > from) data.fill(1, y * width + from, y * width + to);
      }
    }
  }
  return { width, height, data };
}

/** Where a horizontal line meets a closed polygon. */
function crossingsAt(polygon: readonly number[], y: number): number[] {
  const points = polygon.length / 2;
  const crossings: number[] = [];
  for (let i = 0; i < points; i++) {
    const j = (i + 1) % points;
    const [x0, y0, x1, y1] = [polygon[2 * i], polygon[2 * i + 1], polygon[2 * j], polygon[2 * j + 1]] as [
      number,
      number,
      number,
      number,
    ];
    if (y0 <= y === y1 <= y) continue;
    // From the upper end whichever way the line runs: a line that is walked both ways must be met at the same place.
    const [[fromX, fromY], [toX, toY]] =
      y0 < y1
        ? ([
            [x0, y0],
            [x1, y1],
          ] as const)
        : ([
            [x1, y1],
            [x0, y0],
          ] as const);
    crossings.push(fromX + ((y - fromY) / (toY - fromY)) * (toX - fromX));
  }
  return crossings;
}
