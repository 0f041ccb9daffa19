import { labelComponents } from './components.js';
import type { BinaryMask } from './mask.js';

/** A closed line through pixel corners: x0, y0, x1, y1, … without repeating the first corner. */
export type Ring = readonly number[];

/** The outline of one connected component of a mask. */
export interface Contour {
  /** Clockwise on screen. */
  readonly outer: Ring;
  /** Counter-clockwise, each around background inside the component. */
  readonly holes: readonly Ring[];
}

/** The four steps along pixel edges, clockwise on screen: right, down, left, up. */
const STEPS = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const;

/** The pixel to the right of a step from corner (x, y), relative to that corner. */
const RIGHT_HAND = [
  [0, 0],
  [-1, 0],
  [-1, -1],
  [0, -1],
] as const;

/**
 * Traces the exact outlines of the 8-connected components of a mask: along pixel edges, with corners where straight runs meet.
 *
 * @returns one contour per component, in reading order of first pixels.
 */
export function findContours(mask: BinaryMask): Contour[] {
  const { width, height, data } = mask;
  const { labels, areas } = labelComponents(mask);
  const isSet = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && data[y * width + x] === 1;
  const contours = areas.map(() => ({ outer: [] as Ring, holes: [] as Ring[] }));
  // An outer ring contains a step to the right along the top of a pixel, a hole a step to the left along the bottom of one: both
  // are edges between two rows.
  const seen = new Uint8Array((width + 1) * (height + 1) * STEPS.length);
  for (let y = 0; y <= height; y++) {
    for (let x = 0; x < width; x++) {
      const [above, below] = [isSet(x, y - 1), isSet(x, y)];
      if (above === below) continue;
      const [cornerX, direction] = below ? [x, 0] : [x + 1, 2];
      if (seen[(y * (width + 1) + cornerX) * STEPS.length + direction] === 1) continue;
      const ring = trace(cornerX, y, direction, isSet, seen, width);
      const contour = contours[(labels[(below ? y : y - 1) * width + x] as number) - 1] as (typeof contours)[number];
      if (signedArea(ring) > 0) contour.outer = ring;
      else contour.holes.push(ring);
    }
  }
  return contours;
}

/** Follows one ring with the mask on its right, marking its steps. */
function trace(
  startX: number,
  startY: number,
  startDirection: number,
  isSet: (x: number, y: number) => boolean,
  seen: Uint8Array,
  width: number,
): Ring {
  const ring: number[] = [];
  let [x, y, direction] = [startX, startY, startDirection];
  do {
    seen[(y * (width + 1) + x) * STEPS.length + direction] = 1;
    const [dx, dy] = STEPS[direction] as (typeof STEPS)[number];
    x += dx;
    y += dy;
    const next = turn(x, y, direction, isSet);
    if (next !== direction) ring.push(x, y);
    direction = next;
  } while (x !== startX || y !== startY || direction !== startDirection);
  return ring;
}

/** The next direction of a ring. Left before straight before right: pixels that touch at a corner belong together. */
function turn(x: number, y: number, direction: number, isSet: (x: number, y: number) => boolean): number {
  const on = (d: number) => {
    const [px, py] = RIGHT_HAND[d] as (typeof RIGHT_HAND)[number];
    return isSet(x + px, y + py);
  };
  const left = (direction + 3) % 4;
  if (on(left)) return left;
  return on(direction) ? direction : (direction + 1) % 4;
}

/** Positive if the ring is clockwise on screen (y pointing downwards). */
function signedArea(ring: Ring): number {
  let sum = 0;
  for (let i = 0; i < ring.length; i += 2) {
    const [x0, y0] = [ring[i] as number, ring[i + 1] as number];
    const [x1, y1] = [ring[(i + 2) % ring.length] as number, ring[(i + 3) % ring.length] as number];
    sum += x0 * y1 - x1 * y0;
  }
  return sum / 2;
}

/**
 * Converts a mask to COCO polygons, one flat list of corners per connected component. COCO has no holes: each is joined to the
 * outline by a zero-width cut, so that the even-odd rule excludes it. `polygonsToMask` restores the mask exactly.
 */
export function maskToPolygons(mask: BinaryMask): number[][] {
  return findContours(mask).map(({ outer, holes }) => holes.reduce<number[]>(joined, [...outer]));
}

/** Goes from the outline's first corner to the hole's, around the hole, and back. */
function joined(outline: readonly number[], hole: Ring): number[] {
  return [...outline, ...outline.slice(0, 2), ...hole, ...hole.slice(0, 2)];
}
