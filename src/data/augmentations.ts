import { type BinaryMask, type BoxXyxy, boxOfMask, type RasterImage } from '../processing/index.js';
import type { Rng } from '../util/index.js';
import { type Frame, moveImage, moveMask, swapSides } from './move.js';
import { blurByDepth, changeGain, eraseRectangle, speckle } from './rescan.js';
import type { Sample, SampleObject } from './types.js';

type Range = readonly [low: number, high: number];

/** Named augmentations with their ranges; an absent one does nothing. They are applied in the order of this list. */
export interface Augmentations {
  /** Chance that the image, its masks and "left" and "right" in its phrases are mirrored. */
  readonly flip?: number | undefined;
  /** Range of the factor by which each side is resized, drawn for each side on its own. */
  readonly resize?: Range | undefined;
  /** Cuts a window out that keeps every object whole; each side keeps at least the share `smallest`. */
  readonly crop?: { readonly chance: number; readonly smallest: number } | undefined;
  /** Adds black borders, each at most the share `most` of its side. */
  readonly pad?: { readonly chance: number; readonly most: number } | undefined;
  /** Fills a rectangle, whose share of the image is in the range `area`, with grey noise. Masks and boxes stay. */
  readonly erase?: { readonly chance: number; readonly area: Range } | undefined;
  /** Range of the factor on brightness. */
  readonly gain?: Range | undefined;
  /** Largest standard deviation of multiplicative noise. */
  readonly speckle?: number | undefined;
  /** Largest standard deviation in pixels of a blur that grows from nothing at the probe (the top) to this at the bottom. */
  readonly blur?: number | undefined;
}

/** Draws and applies augmentations. Objects are never lost; boxes are taken from the moved masks. */
export function applyAugmentations(sample: Sample, wanted: Augmentations, rng: Rng): Sample {
  const moved = [flip, resize, crop, pad].reduce((current, step) => step(current, wanted, rng), sample);
  return { ...moved, image: repaint(moved.image, wanted, rng) };
}

type Step = (sample: Sample, wanted: Augmentations, rng: Rng) => Sample;

const flip: Step = (sample, { flip: chance = 0 }, rng) => {
  if (!rng.chance(chance)) return sample;
  const { width, height } = sample.image;
  return move(sample, { width, height, affine: [-1, 0, width, 0, 1, 0] }, swapSides);
};

const resize: Step = (sample, { resize: range }, rng) => {
  if (range === undefined) return sample;
  const { width, height } = sample.image;
  const [w, h] = [width, height].map((side) => Math.max(1, Math.round(side * rng.uniform(...range)))) as [number, number];
  return move(sample, { width: w, height: h, affine: [width / w, 0, 0, 0, height / h, 0] });
};

const crop: Step = (sample, { crop: wanted }, rng) => {
  if (wanted === undefined || !rng.chance(wanted.chance)) return sample;
  const { width, height } = sample.image;
  const kept = boundsOf(sample.objects);
  const [left, right] = window(width, kept && [kept[0], kept[2]], wanted.smallest, rng);
  const [top, bottom] = window(height, kept && [kept[1], kept[3]], wanted.smallest, rng);
  return move(sample, { width: right - left, height: bottom - top, affine: [1, 0, left, 0, 1, top] });
};

const pad: Step = (sample, { pad: wanted }, rng) => {
  if (wanted === undefined || !rng.chance(wanted.chance)) return sample;
  const { width, height } = sample.image;
  const border = (side: number) => rng.int(Math.floor(wanted.most * side) + 1);
  const [left, right, top, bottom] = [border(width), border(width), border(height), border(height)] as const;
  return move(sample, { width: width + left + right, height: height + top + bottom, affine: [1, 0, -left, 0, 1, -top] });
};

function repaint(image: RasterImage, wanted: Augmentations, rng: Rng): RasterImage {
  let out = image;
  if (wanted.gain !== undefined) out = changeGain(out, rng.uniform(...wanted.gain));
  if (wanted.speckle !== undefined) out = speckle(out, rng.uniform(0, wanted.speckle), rng);
  if (wanted.blur !== undefined) out = blurByDepth(out, rng.uniform(0, wanted.blur));
  if (wanted.erase !== undefined && rng.chance(wanted.erase.chance))
    out = eraseRectangle(out, rng.uniform(...wanted.erase.area), rng);
  return out;
}

/** A random window of a side, in whole pixels, around what it has to keep. */
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

function move(sample: Sample, frame: Frame, rename: (phrase: string) => string = (phrase) => phrase): Sample {
  return {
    ...sample,
    image: moveImage(sample.image, frame),
    objects: sample.objects.map((object) => moveWhole(object, frame, rename)),
    phrases: sample.phrases.map(rename),
  };
}

/** The box around the boxes and masks of all objects; none where there are none. */
export function boundsOf(objects: readonly SampleObject[]): BoxXyxy | undefined {
  const boxes = objects.map(({ mask, boxXyxyPx }) => union(boxOfMask(mask) ?? boxXyxyPx, boxXyxyPx));
  return boxes.length === 0 ? undefined : boxes.reduce(union);
}

/** Moves an object that must not get lost: shrunk to nothing, it becomes the one pixel where it was. */
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

function onePixel([x0, y0, x1, y1]: BoxXyxy, { width, height, affine: [a, b, c, d, e, f] }: Frame): [BinaryMask, BoxXyxy] {
  const clamp = (value: number, size: number) => Math.min(size - 1, Math.max(0, Math.floor(value)));
  const [dx, dy] = [(x0 + x1) / 2 - c, (y0 + y1) / 2 - f];
  const area = a * e - b * d;
  const [x, y] = [clamp((e * dx - b * dy) / area, width), clamp((a * dy - d * dx) / area, height)];
  const data = new Uint8Array(width * height);
  data[y * width + x] = 1;
  return [{ width, height, data }, [x, y, x + 1, y + 1]];
}

function union(a: BoxXyxy, b: BoxXyxy): BoxXyxy {
  return [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])];
}
