export type Point = readonly [x: number, y: number];

/** The convex hull of points, counter-clockwise in a y-up frame (Andrew's monotone chain). */
export function convexHull(points: readonly Point[]): Point[] {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  if (sorted.length < 3) return sorted;
  const half = (list: readonly Point[]) => {
    const chain: Point[] = [];
    for (const point of list) {
      while (chain.length > 1 && turn(chain.at(-2) as Point, chain.at(-1) as Point, point) <= 0) chain.pop();
      chain.push(point);
    }
    return chain.slice(0, -1);
  };
  return [...half(sorted), ...half([...sorted].reverse())];
}

function turn(a: Point, b: Point, c: Point): number {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

/** Sets the pixels of a convex polygon, its outline included. */
export function fillConvex(hull: readonly Point[], mask: Uint8Array, width: number, height: number): void {
  const ys = hull.map(([, y]) => y);
  for (let y = Math.max(0, Math.ceil(Math.min(...ys))); y <= Math.min(height - 1, Math.floor(Math.max(...ys))); y++) {
    let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const [i, [ax, ay]] of hull.entries()) {
      const [bx, by] = hull[(i + 1) % hull.length] as Point;
      if (y < Math.min(ay, by) || y > Math.max(ay, by)) continue;
      const xs = ay === by ? [ax, bx] : [ax + ((y - ay) / (by - ay)) * (bx - ax)];
      from = Math.min(from, ...xs);
      to = Math.max(to, ...xs);
    }
    const [start, end] = [Math.max(0, Math.ceil(from)), Math.min(width - 1, Math.floor(to))];
    if (start <= end) mask.fill(1, y * width + start, y * width + end + 1);
  }
}
