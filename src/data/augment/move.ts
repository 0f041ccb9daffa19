import { type BinaryMask, type BoxXyxy, boxOfMask, type RasterImage } from '../../imaging/index.js';
import { mergePlanes, type Plane, splitPlanes } from './planes.js';

/** Maps result coordinates to source coordinates: x' = a x + b y + c and y' = d x + e y + f, in pixels. */
export type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** A result size and the mapping to its source. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly affine: Affine;
}

/** The identity. */
export const STAY: Affine = [1, 0, 0, 0, 1, 0];

/** Composition: a result position is mapped by `last`, then by `first`. */
export function compose([a, b, c, d, e, f]: Affine, last: Affine): Affine {
  const [p, q, r, s, t, u] = last;
  return [a * p + b * s, a * q + b * t, a * r + b * u + c, d * p + e * s, d * q + e * t, d * r + e * u + f];
}

/** A rotation (radians), scaling and shift (pixels) about the centre of an image. */
export function aboutCentre(
  { width, height }: { readonly width: number; readonly height: number },
  {
    angle,
    scale: [sx, sy],
    shift: [tx, ty],
  }: {
    readonly angle: number;
    readonly scale: readonly [x: number, y: number];
    readonly shift: readonly [x: number, y: number];
  },
): Affine {
  const [cx, cy] = [width / 2, height / 2];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return [
    cos * sx,
    -sin * sy,
    cx + tx - cos * sx * cx + sin * sy * cy,
    sin * sx,
    cos * sy,
    cy + ty - sin * sx * cx - cos * sy * cy,
  ];
}

/** Resamples an image bilinearly; black outside. */
export function moveImage(image: RasterImage, frame: Frame): RasterImage {
  return mergePlanes(splitPlanes(image).map((plane) => movePlane(plane, frame)));
}

/** Resamples one channel bilinearly; black outside. */
export function movePlane(plane: Plane, { width, height, affine: [a, b, c, d, e, f] }: Frame): Plane {
  const { data, width: sourceWidth, height: sourceHeight } = plane;
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const sx = a * (x + 0.5) + b * (y + 0.5) + c - 0.5;
      const sy = d * (x + 0.5) + e * (y + 0.5) + f - 0.5;
      if (sx < -0.5 || sy < -0.5 || sx > sourceWidth - 0.5 || sy > sourceHeight - 0.5) continue;
      const [x0, y0] = [Math.trunc(sx), Math.trunc(sy)]; // not floor: no value is below -0.5
      const right = x0 + 1 < sourceWidth ? 1 : 0;
      const fx = sx > x0 ? sx - x0 : 0;
      const fy = sy > y0 ? sy - y0 : 0;
      const at = y0 * sourceWidth + x0;
      const below = y0 + 1 < sourceHeight ? at + sourceWidth : at;
      const upper = (data[at] as number) * (1 - fx) + (data[at + right] as number) * fx;
      const lower = (data[below] as number) * (1 - fx) + (data[below + right] as number) * fx;
      out[y * width + x] = upper * (1 - fy) + lower * fy + 0.5; // rounds: storing a byte truncates
    }
  }
  return { width, height, data: out };
}

/** Resamples a mask by nearest neighbour; 0 outside. */
export function moveMask(mask: BinaryMask, { width, height, affine: [a, b, c, d, e, f] }: Frame): BinaryMask {
  const { data, width: sourceWidth, height: sourceHeight } = mask;
  const out = new Uint8Array(width * height);
  const box = boxOfMask(mask);
  if (box === undefined) return { width, height, data: out };
  const [left, top, right, bottom] = reachOf(box, { width, height, affine: [a, b, c, d, e, f] });
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const sx = Math.floor(a * (x + 0.5) + b * (y + 0.5) + c);
      const sy = Math.floor(d * (x + 0.5) + e * (y + 0.5) + f);
      if (sx >= 0 && sy >= 0 && sx < sourceWidth && sy < sourceHeight) out[y * width + x] = data[sy * sourceWidth + sx] as number;
    }
  }
  return { width, height, data: out };
}

/** Integer bounds in the result outside which a source box is not visible. */
function reachOf([x0, y0, x1, y1]: BoxXyxy, { width, height, affine }: Frame): BoxXyxy {
  const corners = [
    placeInFrame(affine, x0, y0),
    placeInFrame(affine, x1, y0),
    placeInFrame(affine, x0, y1),
    placeInFrame(affine, x1, y1),
  ];
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
  return [
    Math.max(0, Math.floor(Math.min(...xs)) - 1),
    Math.max(0, Math.floor(Math.min(...ys)) - 1),
    Math.min(width, Math.ceil(Math.max(...xs)) + 1),
    Math.min(height, Math.ceil(Math.max(...ys)) + 1),
  ];
}

/** Maps source coordinates to result coordinates. */
export function placeInFrame([a, b, c, d, e, f]: Affine, sx: number, sy: number): [x: number, y: number] {
  const area = a * e - b * d;
  return [(e * (sx - c) - b * (sy - f)) / area, (a * (sy - f) - d * (sx - c)) / area];
}

/** Swaps "left" and "right" in a phrase, for mirrored images. */
export function swapSides(phrase: string): string {
  return phrase.replace(/\b(left|right)\b/g, (side) => (side === 'left' ? 'right' : 'left'));
}
