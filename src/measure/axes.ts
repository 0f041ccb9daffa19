import type { Point } from './outline.js';

/** A straight line between two points. */
export interface AxisLine {
  readonly from: Point;
  readonly to: Point;
  readonly length: number;
}

/** The length of a closed outline. */
export function perimeterOf(outline: readonly Point[]): number {
  return outline.reduce((sum, point, i) => sum + distance(point, outline[(i + 1) % outline.length] as Point), 0);
}

/** The longest line between two points of an outline: its greatest diameter, or Feret's. */
export function longAxisOf(outline: readonly Point[]): AxisLine {
  const hull = convexHull(outline);
  const [start = [0, 0]] = hull;
  let best: AxisLine = { from: start, to: start, length: 0 };
  for (const [i, from] of hull.entries())
    for (const to of hull.slice(i + 1)) {
      const length = distance(from, to);
      if (length > best.length) best = { from, to, length };
    }
  return best;
}

/** Of all lines across an outline at right angles to an axis, the longest, from one outermost crossing to the other. */
export function shortAxisOf(outline: readonly Point[], axis: AxisLine): AxisLine {
  if (axis.length === 0) return axis;
  const [ux, uy] = [(axis.to[0] - axis.from[0]) / axis.length, (axis.to[1] - axis.from[1]) / axis.length];
  const along = outline.map(([x, y]) => x * ux + y * uy);
  const across = outline.map(([x, y]) => y * ux - x * uy);
  // Between two neighbouring places of vertices, the extent is linear: its greatest value lies at a vertex.
  const places = [...new Set(along)].sort((a, b) => a - b);
  const low = places.map(() => Number.POSITIVE_INFINITY);
  const high = places.map(() => Number.NEGATIVE_INFINITY);
  for (const [i, start] of along.entries()) {
    const next = (i + 1) % outline.length;
    const [from, to] = start <= (along[next] as number) ? [i, next] : [next, i];
    const [a, b] = [along[from] as number, along[to] as number];
    const [p, q] = [across[from] as number, across[to] as number];
    for (let k = firstFrom(places, a); k < places.length && (places[k] as number) <= b; k++) {
      const at = b === a ? [p, q] : [p + ((q - p) * ((places[k] as number) - a)) / (b - a)];
      low[k] = Math.min(low[k] as number, ...at);
      high[k] = Math.max(high[k] as number, ...at);
    }
  }
  let best = 0;
  for (const k of places.keys())
    if ((high[k] as number) - (low[k] as number) > (high[best] as number) - (low[best] as number)) best = k;
  const pointAt = (v: number): Point => {
    const u = places[best] as number;
    return [u * ux - v * uy, u * uy + v * ux];
  };
  const [v0, v1] = [low[best] as number, high[best] as number];
  return { from: pointAt(v0), to: pointAt(v1), length: v1 - v0 };
}

/** Index of the first of some sorted values that is not below `value`. */
function firstFrom(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The corners of the convex hull, by Andrew's monotone chain. */
function convexHull(points: readonly Point[]): Point[] {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  if (sorted.length < 3) return sorted;
  const chain = (list: readonly Point[]) => {
    const hull: Point[] = [];
    for (const point of list) {
      while (hull.length > 1 && turn(hull.at(-2) as Point, hull.at(-1) as Point, point) <= 0) hull.pop();
      hull.push(point);
    }
    return hull.slice(0, -1);
  };
  return [...chain(sorted), ...chain(sorted.reverse())];
}

function turn([ax, ay]: Point, [bx, by]: Point, [cx, cy]: Point): number {
  return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
}

function distance([ax, ay]: Point, [bx, by]: Point): number {
  return Math.hypot(ax - bx, ay - by);
}
