import type { BinaryMask, Size } from './mask.js';

/** Fills polygons, each a list x0, y0, x1, y1, … in pixels; a pixel is inside if its centre is (even-odd rule). */
export function polygonsToMask(polygons: readonly (readonly number[])[], { width, height }: Size): BinaryMask {
  const data = new Uint8Array(width * height);
  for (const polygon of polygons) {
    for (const [y, crossings] of crossingsOf(polygon, height)) {
      crossings.sort((a, b) => a - b);
      for (let k = 0; k + 1 < crossings.length; k += 2) {
        const from = Math.max(0, Math.ceil((crossings[k] as number) - 0.5));
        const to = Math.min(width, Math.ceil((crossings[k + 1] as number) - 0.5));
        if (to > from) data.fill(1, y * width + from, y * width + to);
      }
    }
  }
  return { width, height, data };
}

/**
 * Intersections of a closed polygon with the centre line of each row. Each edge visits only its own rows, as there may be many
 * edges.
 */
function crossingsOf(polygon: readonly number[], height: number): Map<number, number[]> {
  const points = polygon.length / 2;
  const rows = new Map<number, number[]>();
  for (let i = 0; i < points; i++) {
    const j = (i + 1) % points;
    const [x0, y0, x1, y1] = [polygon[2 * i], polygon[2 * i + 1], polygon[2 * j], polygon[2 * j + 1]] as [
      number,
      number,
      number,
      number,
    ];
    // From the upper end regardless of direction: an edge traversed both ways must intersect at the same place.
    const [fromX, fromY, toX, toY] = y0 < y1 ? [x0, y0, x1, y1] : [x1, y1, x0, y0];
    for (let row = Math.max(0, Math.floor(fromY - 0.5)); row < height; row++) {
      const y = row + 0.5;
      if (y > toY) break;
      if (fromY <= y === toY <= y) continue;
      const crossing = fromX + ((y - fromY) / (toY - fromY)) * (toX - fromX);
      const own = rows.get(row);
      if (own === undefined) rows.set(row, [crossing]);
      else own.push(crossing);
    }
  }
  return rows;
}
