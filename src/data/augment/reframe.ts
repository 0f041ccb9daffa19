import { type BinaryMask, boxOfMask } from '../../imaging/index.js';
import type { Rng } from '../../util/index.js';
import type { SampleObject } from '../types.js';
import type { Augmentations } from './augmentations.js';
import { type Affine, compose, type Frame, placeInFrame, STAY } from './move.js';

/** Default fraction of each object's area that moves keep in view. */
const KEPT_SHARE = 0.25;

/** Moves tried before the image is left in place. */
const TRIES = 10;

/**
 * Draws rotation, shear, stretch, zoom and shift as one affine move that keeps at least the fraction `keep` of every object in
 * view. If ten draws fail, the identity is returned.
 */
export function drawMove(
  { width, height, affine: before }: Frame,
  objects: readonly SampleObject[],
  wanted: Augmentations,
  rng: Rng,
): Affine {
  const { rotate, shear, stretch, zoom, shift, keep = KEPT_SHARE } = wanted;
  if ([rotate, shear, stretch, zoom, shift].every((move) => move === undefined)) return STAY;
  for (let k = 0; k < TRIES; k++) {
    const affine = draw(width, height, wanted, rng);
    const frame = { width, height, affine: compose(before, affine) };
    if (objects.every(({ mask }) => shareInView(mask, frame) >= keep)) return affine;
  }
  return STAY;
}

function draw(width: number, height: number, { rotate, shear, stretch, zoom, shift }: Augmentations, rng: Rng): Affine {
  const either = (most: number) => rng.uniform(-most, most);
  const happens = (move: { readonly chance: number } | undefined) => move !== undefined && rng.chance(move.chance);
  const angle = happens(rotate) ? (either(rotate?.most ?? 0) * Math.PI) / 180 : 0;
  const lean = happens(shear) ? either(shear?.most ?? 0) : 0;
  const aspect = happens(stretch) ? logUniform(stretch?.factor ?? [1, 1], rng) : 1;
  const size = happens(zoom) ? logUniform(zoom?.factor ?? [1, 1], rng) : 1;
  const free = Math.abs(1 - 1 / size) / 2; // of each side: the part seen lies anywhere in the image, or the image anywhere in the frame
  const [tx, ty] = [either(free) * width, either(free) * height];
  const far = happens(shift) ? (shift?.most ?? 0) : 0;
  const [sx, sy] = [1 / (size * Math.sqrt(aspect)), Math.sqrt(aspect) / size];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  // rotation after shear after scaling, about the centre
  const [a, b, d, e] = [cos * sx, (cos * lean - sin) * sy, sin * sx, (sin * lean + cos) * sy];
  const [cx, cy] = [width / 2, height / 2];
  return [a, b, cx + tx + either(far) * width - a * cx - b * cy, d, e, cy + ty + either(far) * height - d * cx - e * cy];
}

/** Draws a factor log-uniformly: halving is as likely as doubling. */
export function logUniform([low, high]: readonly [number, number], rng: Rng): number {
  return Math.exp(rng.uniform(Math.log(low), Math.log(high)));
}

/** Fraction of a mask's pixels whose centres are in view; 1 for an empty mask. */
function shareInView(mask: BinaryMask, { width, height, affine }: Frame): number {
  const box = boxOfMask(mask);
  if (box === undefined) return 1;
  const shows = (sx: number, sy: number) => {
    const [x, y] = placeInFrame(affine, sx, sy);
    return x >= 0 && y >= 0 && x < width && y < height;
  };
  const [x0, y0, x1, y1] = box;
  if (shows(x0, y0) && shows(x1, y0) && shows(x0, y1) && shows(x1, y1)) return 1;
  let [all, seen] = [0, 0];
  for (let y = y0; y < y1; y++) {
    for (let x = x0; x < x1; x++) {
      if (mask.data[y * mask.width + x] === 0) continue;
      all++;
      if (shows(x + 0.5, y + 0.5)) seen++;
    }
  }
  return seen / all;
}
