import type { BoxXyxy } from '../../imaging/index.js';
import type { Rng } from '../../util/index.js';
import type { Dataset, Sample } from '../types.js';
import { meet } from './meet.js';
import { moveImage } from './move.js';
import { type ChangeOptions, SometimesChanged } from './sometimes-changed.js';

/** Range of a part's sides, relative to those of the image. */
const SHARE = [0.4, 0.9] as const;

/** Parts tried before a sample is left as it is. */
const TRIES = 24;

/**
 * Shows a part without any object in place of some images: examples of what surrounds an object, for datasets with few images that
 * show nothing. Their phrases stay, as negatives.
 */
export class BackgroundDataset extends SometimesChanged {
  constructor(whole: Dataset, options: ChangeOptions) {
    super(whole, options, 6);
  }

  protected change(sample: Sample, rng: Rng): Sample {
    return cutBackground(sample, rng);
  }
}

/**
 * Cuts an image to a part that meets no object's box, the largest of those drawn.
 *
 * @returns the sample itself if it shows nothing, or if none of the parts drawn is free.
 */
export function cutBackground(sample: Sample, rng: Rng): Sample {
  const { image, objects } = sample;
  if (objects.length === 0) return sample;
  let largest: BoxXyxy | undefined;
  for (let k = 0; k < TRIES; k++) {
    const part = drawPart(image, rng);
    if (areaOf(part) > (largest === undefined ? 0 : areaOf(largest)) && objects.every(({ boxXyxyPx }) => !meet(boxXyxyPx, part)))
      largest = part;
  }
  if (largest === undefined) return sample;
  const [x0, y0, x1, y1] = largest;
  const frame = { width: x1 - x0, height: y1 - y0, affine: [1, 0, x0, 0, 1, y0] as const };
  return { ...sample, image: moveImage(image, frame), objects: [] };
}

/** A part of random size and place, in whole pixels. */
function drawPart({ width, height }: { readonly width: number; readonly height: number }, rng: Rng): BoxXyxy {
  const [w, h] = [width, height].map((side) => Math.max(1, Math.round(side * rng.uniform(...SHARE)))) as [number, number];
  const [x0, y0] = [rng.int(width - w + 1), rng.int(height - h + 1)];
  return [x0, y0, x0 + w, y0 + h];
}

function areaOf([x0, y0, x1, y1]: BoxXyxy): number {
  return (x1 - x0) * (y1 - y0);
}
