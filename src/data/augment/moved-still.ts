import type { Rng } from '../../util/index.js';
import type { LaterFrame, Sample } from '../types.js';
import { aboutCentre, moveImage, moveMask } from './move.js';

/**
 * Makes a clip of a still image: a plane that slides, turns and is compressed under the probe, to and fro. What leaves the image does
 * not come back into it as something else: beyond its edges there is black.
 *
 * @param frames - of the clip; the first is the image as it is.
 */
export function movedStill(sample: Sample, frames: number, rng: Rng): Sample {
  const { width, height } = sample.image;
  const period = rng.uniform(1, 4) * frames;
  const [angle, zoom, stretch] = [rng.normal(0, 0.06), rng.normal(0, 0.05), rng.normal(0, 0.04)];
  const [dx, dy] = [rng.normal(0, 0.07) * width, rng.normal(0, 0.05) * height];
  const later = Array.from({ length: frames - 1 }, (_, k): LaterFrame => {
    const share = Math.sin((2 * Math.PI * (k + 1)) / period);
    const affine = aboutCentre(sample.image, {
      angle: share * angle,
      scale: [Math.exp(share * (zoom + stretch)), Math.exp(share * (zoom - stretch))],
      shift: [share * dx, share * dy],
    });
    const frame = { width, height, affine };
    return { image: moveImage(sample.image, frame), masks: sample.objects.map(({ mask }) => moveMask(mask, frame)) };
  });
  return { ...sample, later };
}
