import type { Size } from '../../../imaging/index.js';
import type { Region } from './outer-contours.js';

/** The eight neighbours, clockwise on screen, starting at the right. */
const STEPS = [
  [1, 0],
  [1, 1],
  [0, 1],
  [-1, 1],
  [-1, 0],
  [-1, -1],
  [0, -1],
  [1, -1],
] as const;

/** Area enclosed by the line through the centres of a region's boundary pixels, including holes: OpenCV's `contourArea`. */
export function contourArea({ pixels }: Region, { width, height }: Size): number {
  const own = new Set(pixels);
  const has = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && own.has(y * width + x);
  const first = pixels[0] as number;
  const [startX, startY] = [first % width, Math.floor(first / width)];
  let [x, y] = [startX, startY];
  let doubled = 0;
  // The first pixel in reading order is entered from its left.
  let heading = 0;
  let firstStep: number | undefined;
  for (;;) {
    const step = nextStep(x, y, heading, has);
    if (step === undefined) return 0;
    // The contour closes when it leaves the first pixel in the first direction again.
    if (x === startX && y === startY) {
      if (step === firstStep) return Math.abs(doubled) / 2;
      firstStep ??= step;
    }
    const [dx, dy] = STEPS[step] as readonly [number, number];
    doubled += x * (y + dy) - (x + dx) * y;
    x += dx;
    y += dy;
    heading = step;
  }
}

/** The first neighbour in the region, clockwise from behind on the left; undefined for a single pixel. */
function nextStep(x: number, y: number, heading: number, has: (x: number, y: number) => boolean): number | undefined {
  for (let turn = 0; turn < 8; turn++) {
    const step = (heading + 5 + turn) % 8;
    const [dx, dy] = STEPS[step] as readonly [number, number];
    if (has(x + dx, y + dy)) return step;
  }
  return undefined;
}
