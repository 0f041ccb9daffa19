import { type BinaryMask, type BoxXyxy, boxOfMask, type RasterImage } from '../../imaging/index.js';
import type { Rng } from '../../util/index.js';
import type { Sample, SampleObject } from '../types.js';
import type { Augmentations, Erasing, Range } from './augmentations.js';
import { type Affine, compose, type Frame, moveMask, movePlane, placeInFrame, STAY, swapSides } from './move.js';
import { mergePlanes, type Plane, splitPlanes } from './planes.js';
import { drawMove } from './reframe.js';
import { relight } from './relight.js';
import { blurByDepth, drawRectangle, fillRectangles, loseResolution, soften } from './rescan.js';

/** A sample in progress. The image is split into channels so that a grey one is processed once, not three times. */
interface Draft {
  readonly planes: readonly Plane[];
  readonly size: { readonly width: number; readonly height: number };
  readonly objects: readonly SampleObject[];
  readonly phrases: readonly string[];
}

/** Draws and applies augmentations. Objects are never lost; boxes are recomputed from the transformed masks. */
export function applyAugmentations(sample: Sample, wanted: Augmentations, rng: Rng): Sample {
  const { image, objects, phrases } = sample;
  const start: Draft = { planes: splitPlanes(image), size: image, objects, phrases };
  const moved = pad(reframe(start, wanted, rng), wanted, rng);
  return { ...sample, image: repaint(moved, wanted, rng), objects: moved.objects, phrases: moved.phrases };
}

/** Mirrors, moves, resizes and crops with a single resampling. */
function reframe(draft: Draft, wanted: Augmentations, rng: Rng): Draft {
  const { width, height } = draft.size;
  const mirrored = rng.chance(wanted.flip ?? 0);
  const start: Frame = { width, height, affine: mirrored ? [-1, 0, width, 0, 1, 0] : STAY };
  const moved = { width, height, affine: compose(start.affine, drawMove(start, draft.objects, wanted, rng)) };
  const frame = crop(resize(moved, wanted, rng), draft, wanted, rng);
  return move(draft, frame, mirrored ? swapSides : undefined);
}

function resize({ width, height, affine }: Frame, { resize: range }: Augmentations, rng: Rng): Frame {
  if (range === undefined) return { width, height, affine };
  const [w, h] = [width, height].map((side) => Math.max(1, Math.round(side * rng.uniform(...range)))) as [number, number];
  return { width: w, height: h, affine: compose(affine, [width / w, 0, 0, 0, height / h, 0]) };
}

function crop(frame: Frame, { objects }: Draft, { crop: wanted }: Augmentations, rng: Rng): Frame {
  if (wanted === undefined || !rng.chance(wanted.chance)) return frame;
  const { width, height, affine } = frame;
  const kept = boundsOf(isStill(affine) ? objects : objects.map((object) => moveWhole(object, frame, (phrase) => phrase)));
  const [left, right] = window(width, kept && [kept[0], kept[2]], wanted.smallest, rng);
  const [top, bottom] = window(height, kept && [kept[1], kept[3]], wanted.smallest, rng);
  return { width: right - left, height: bottom - top, affine: compose(affine, [1, 0, left, 0, 1, top]) };
}

/** Runs last and separately: padding is black regardless of the image content that was cropped away. */
function pad(draft: Draft, { pad: wanted }: Augmentations, rng: Rng): Draft {
  if (wanted === undefined || !rng.chance(wanted.chance)) return draft;
  const { width, height } = draft.size;
  const border = (side: number) => rng.int(Math.floor(wanted.most * side) + 1);
  const [left, right, top, bottom] = [border(width), border(width), border(height), border(height)] as const;
  return move(draft, { width: width + left + right, height: height + top + bottom, affine: [1, 0, -left, 0, 1, -top] });
}

function repaint(draft: Draft, wanted: Augmentations, rng: Rng): RasterImage {
  let { planes } = draft;
  const { resolution, soften: softness, blur, erase } = wanted;
  if (resolution !== undefined && rng.chance(resolution.chance)) {
    const share = rng.uniform(resolution.smallest, 1);
    planes = planes.map((plane) => loseResolution(plane, share));
  }
  if (softness !== undefined && rng.chance(softness.chance)) {
    const sigma = rng.uniform(0, softness.most);
    planes = planes.map((plane) => soften(plane, sigma));
  }
  let out = mergePlanes(relight(planes, wanted, rng));
  if (blur !== undefined) out = blurByDepth(out, rng.uniform(0, blur));
  return erase !== undefined && rng.chance(erase.chance) ? eraseSome(out, draft.objects, erase, rng) : out;
}

function eraseSome(image: RasterImage, objects: readonly SampleObject[], erasing: Erasing, rng: Rng): RasterImage {
  const { area, most = 1, fill = 'noise', hide = 1 } = erasing;
  const count = most === 1 ? 1 : 1 + rng.int(most);
  const drawn = Array.from({ length: count }, () => drawRectangle(image, rng.uniform(...area), rng));
  const allowed = drawn.filter((place) => objects.every(({ boxXyxyPx }) => overlap(place, boxXyxyPx) <= hide));
  return fillRectangles(image, allowed, fill, rng);
}

/** Fraction of a box covered by a rectangle. */
function overlap(place: BoxXyxy, box: BoxXyxy): number {
  const shared = (k: 0 | 1) => Math.max(0, Math.min(place[k + 2] as number, box[k + 2] as number) - Math.max(place[k], box[k]));
  return (shared(0) * shared(1)) / ((box[2] - box[0]) * (box[3] - box[1]));
}

function isStill([a, b, c, d, e, f]: Affine): boolean {
  return a === 1 && b === 0 && c === 0 && d === 0 && e === 1 && f === 0;
}

/** A random window along one side, in integer pixels, that contains the range to keep. */
function window(side: number, keep: Range | undefined, smallest: number, rng: Rng): [from: number, to: number] {
  const least = Math.max(1, Math.ceil(side * smallest));
  const [keepFrom, keepTo] =
    keep === undefined ? [side, 0] : [Math.max(0, Math.floor(keep[0])), Math.min(side, Math.ceil(keep[1]))];
  const length = Math.min(side, Math.max(least + rng.int(side - least + 1), keepTo - keepFrom));
  const first = Math.max(0, keep === undefined ? 0 : keepTo - length);
  const last = Math.min(side - length, keep === undefined ? side : keepFrom);
  const from = first + rng.int(last - first + 1);
  return [from, from + length];
}

function move(draft: Draft, frame: Frame, rename: (phrase: string) => string = (phrase) => phrase): Draft {
  const { width, height } = draft.size;
  if (isStill(frame.affine) && frame.width === width && frame.height === height) return draft;
  return {
    planes: draft.planes.map((plane) => movePlane(plane, frame)),
    size: { width: frame.width, height: frame.height },
    objects: draft.objects.map((object) => moveWhole(object, frame, rename)),
    phrases: draft.phrases.map(rename),
  };
}

/** The bounding box of all objects' boxes and masks; undefined if there are none. */
export function boundsOf(objects: readonly SampleObject[]): BoxXyxy | undefined {
  const boxes = objects.map(({ mask, boxXyxyPx }) => union(boxOfMask(mask) ?? boxXyxyPx, boxXyxyPx));
  return boxes.length === 0 ? undefined : boxes.reduce(union);
}

/** Moves an object without losing it: an object that shrinks to nothing becomes the single pixel at its position. */
export function moveWhole(
  { phrase, boxXyxyPx, mask }: SampleObject,
  frame: Frame,
  rename: (phrase: string) => string,
): SampleObject {
  const moved = moveMask(mask, frame);
  const box = boxOfMask(moved);
  if (box !== undefined) return { phrase: rename(phrase), boxXyxyPx: box, mask: moved };
  const [pixel, place] = onePixel(boxOfMask(mask) ?? boxXyxyPx, frame);
  return { phrase: rename(phrase), boxXyxyPx: place, mask: pixel };
}

function onePixel([x0, y0, x1, y1]: BoxXyxy, { width, height, affine }: Frame): [BinaryMask, BoxXyxy] {
  const clamp = (value: number, size: number) => Math.min(size - 1, Math.max(0, Math.floor(value)));
  const place = placeInFrame(affine, (x0 + x1) / 2, (y0 + y1) / 2);
  const [x, y] = [clamp(place[0], width), clamp(place[1], height)];
  const data = new Uint8Array(width * height);
  data[y * width + x] = 1;
  return [{ width, height, data }, [x, y, x + 1, y + 1]];
}

function union(a: BoxXyxy, b: BoxXyxy): BoxXyxy {
  return [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])];
}
