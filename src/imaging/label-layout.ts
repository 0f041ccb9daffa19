import type { BoxXyxy, Size } from './mask.js';

/** A label to place: its size, and the box that it names. */
export interface LabelRequest extends Size {
  readonly box: BoxXyxy;
}

/** Position of a label's top left corner. */
export interface LabelPlace {
  readonly x: number;
  readonly y: number;
}

/**
 * Places labels inside the canvas without overlap as far as there is room: above the box, below it, inside its corners, then at
 * the free position nearest to its top left corner. On a full canvas, at the position with the least overlap.
 */
export function placeLabels(requests: readonly LabelRequest[], canvas: Size): LabelPlace[] {
  const taken: BoxXyxy[] = [];
  return requests.map((request) => {
    const candidates = [...besides(request), ...anywhere(request, canvas)].map(({ x, y }) => inside({ x, y }, request, canvas));
    const overlaps = candidates.map((place) => taken.reduce((sum, other) => sum + shared(area(place, request), other), 0));
    const least = overlaps.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
    const place = candidates[overlaps.indexOf(least)] as LabelPlace;
    taken.push(area(place, request));
    return place;
  });
}

function besides({ box: [x0, y0, x1, y1], width, height }: LabelRequest): LabelPlace[] {
  return [
    { x: x0, y: y0 - height },
    { x: x0, y: y1 },
    { x: x1 - width, y: y0 - height },
    { x: x1 - width, y: y1 },
    { x: x0, y: y0 },
    { x: x0, y: y1 - height },
    { x: x1, y: y0 },
    { x: x0 - width, y: y0 },
  ];
}

/** Grid positions, nearest to the box first. */
function anywhere({ box: [x0, y0], width, height }: LabelRequest, canvas: Size): LabelPlace[] {
  const columns = Math.max(1, Math.floor(canvas.width / (width / 2)));
  const rows = Math.max(1, Math.floor(canvas.height / height));
  const places = Array.from({ length: columns * rows }, (_, i) => ({
    x: ((i % columns) * width) / 2,
    y: Math.floor(i / columns) * height,
  }));
  const distance = ({ x, y }: LabelPlace) => Math.hypot(x - x0, y - (y0 - height));
  return places.sort((a, b) => distance(a) - distance(b));
}

function inside({ x, y }: LabelPlace, { width, height }: Size, canvas: Size): LabelPlace {
  return {
    x: Math.round(Math.max(0, Math.min(x, canvas.width - width))),
    y: Math.round(Math.max(0, Math.min(y, canvas.height - height))),
  };
}

function area({ x, y }: LabelPlace, { width, height }: Size): BoxXyxy {
  return [x, y, x + width, y + height];
}

function shared([ax0, ay0, ax1, ay1]: BoxXyxy, [bx0, by0, bx1, by1]: BoxXyxy): number {
  return Math.max(0, Math.min(ax1, bx1) - Math.max(ax0, bx0)) * Math.max(0, Math.min(ay1, by1) - Math.max(ay0, by0));
}
