import { type BinaryMask, type BoxXyxy, boxOfMask, type RasterImage } from '../../imaging/index.js';
import type { Rng } from '../../util/index.js';
import type { Dataset, Sample, SampleObject } from '../types.js';
import { meet } from './meet.js';
import { type Frame, moveMask, movePlane } from './move.js';
import { mergePlanes, type Plane, splitPlanes } from './planes.js';
import { soften } from './rescan.js';
import { type ChangeOptions, SometimesChanged } from './sometimes-changed.js';

/** Range of the factor on the size of an object, relative to its own image. */
const SCALE = [0.7, 1.3] as const;

/** Positions tried before a sample is left as it is. */
const TRIES = 12;

/** Standard deviation of the blending border, as a fraction of the object's shorter side. */
const BORDER = 0.08;

/** Range of the factor that adapts an object's brightness to its new surroundings. */
const GAIN = [0.5, 2] as const;

/**
 * Pastes objects of some images into others, for datasets whose objects can lie anywhere, as lesions can and arteries cannot: more
 * surroundings for each object, and pairs of images that differ in nothing but the object. Object and border are blended in, at the
 * brightness of their new surroundings, where they do not cover other objects.
 *
 * @see Ghiasi et al. 2021, Simple Copy-Paste
 */
export class PasteDataset extends SometimesChanged {
  constructor(whole: Dataset, options: ChangeOptions) {
    super(whole, options, 5);
  }

  protected async change(sample: Sample, rng: Rng): Promise<Sample> {
    const donor = await this.drawDonor(rng);
    return donor === undefined ? sample : pasteObject(sample, donor, rng);
  }

  /** A sample that shows something; undefined if none of those tried does. */
  private async drawDonor(rng: Rng): Promise<Sample | undefined> {
    for (let k = 0; k < TRIES; k++) {
      const donor = await this.whole.load(rng.int(this.size));
      if (donor.objects.some(({ mask }) => boxOfMask(mask) !== undefined)) return donor;
    }
    return undefined;
  }
}

/**
 * Pastes one of the donor's objects into a sample.
 *
 * @returns the sample itself if the object has no room beside the sample's own.
 */
export function pasteObject(sample: Sample, donor: Sample, rng: Rng): Sample {
  const shown = donor.objects.filter(({ mask }) => boxOfMask(mask) !== undefined);
  const object = shown[rng.int(shown.length)] as SampleObject;
  const frame = drawFrame(sample, donor, boxOfMask(object.mask) as BoxXyxy, rng);
  if (frame === undefined) return sample;
  const mask = moveMask(object.mask, frame);
  const boxXyxyPx = boxOfMask(mask);
  if (boxXyxyPx === undefined) return sample;
  const image = blend(sample.image, donor.image, frame, mask, boxXyxyPx);
  const phrases = sample.phrases.includes(object.phrase) ? sample.phrases : [...sample.phrases, object.phrase];
  return { ...sample, image, phrases, objects: [...sample.objects, { phrase: object.phrase, boxXyxyPx, mask }] };
}

/** Maps the donor to the sample so that the object lies inside, away from the sample's own objects; undefined without room. */
function drawFrame(sample: Sample, donor: Sample, [x0, y0, x1, y1]: BoxXyxy, rng: Rng): Frame | undefined {
  const { width, height } = sample.image;
  const flipped = rng.chance(0.5);
  for (let k = 0; k < TRIES; k++) {
    const scale = (width / donor.image.width) * rng.uniform(...SCALE);
    const [w, h] = [(x1 - x0) * scale, (y1 - y0) * scale];
    if (w < 1 || h < 1 || w > width || h > height) continue;
    const [left, top] = [rng.uniform(0, width - w), rng.uniform(0, height - h)];
    if (sample.objects.some(({ boxXyxyPx }) => meet(boxXyxyPx, [left, top, left + w, top + h]))) continue;
    // Mirrored, the left edge shows the object's right one.
    const across = flipped ? ([-1 / scale, x1 + left / scale] as const) : ([1 / scale, x0 - left / scale] as const);
    return { width, height, affine: [across[0], 0, across[1], 0, 1 / scale, y0 - top / scale] };
  }
  return undefined;
}

/** Blends the donor over the image: fully within the mask, less and less outside. */
function blend(image: RasterImage, donor: RasterImage, frame: Frame, mask: BinaryMask, [x0, y0, x1, y1]: BoxXyxy): RasterImage {
  const sigma = Math.max(1, BORDER * Math.min(x1 - x0, y1 - y0));
  const soft = soften({ ...mask, data: mask.data.map((inside) => (inside > 0 ? 255 : 0)) }, sigma).data;
  const [under, over] = [splitPlanes(image), splitPlanes(donor).map((plane) => movePlane(plane, frame))];
  const gain = brightness(under[0] as Plane, over[0] as Plane, soft);
  const channels = Math.max(under.length, over.length);
  const planes = Array.from({ length: channels }, (_, c): Plane => {
    const [below, above] = [under[c] ?? (under[0] as Plane), over[c] ?? (over[0] as Plane)];
    const data = below.data.map((value, i) => {
      const share = mask.data[i] ? 1 : Math.min(1, (soft[i] as number) / 128);
      return share === 0 ? value : value + share * (Math.min(255, gain * (above.data[i] as number)) - value) + 0.5;
    });
    return { ...below, data };
  });
  return mergePlanes(planes);
}

/** The factor that gives the donor's border the mean brightness of what it covers. */
function brightness(under: Plane, over: Plane, soft: Uint8Array): number {
  let [below, above] = [0, 0];
  for (const [i, value] of soft.entries()) {
    if (value === 0 || value >= 128) continue;
    below += under.data[i] as number;
    above += over.data[i] as number;
  }
  return above === 0 ? 1 : Math.min(GAIN[1], Math.max(GAIN[0], below / above));
}
