import { type BinaryMask, maskArea, type RasterImage } from '../../imaging/index.js';
import type { Rng } from '../../util/index.js';
import type { Sample } from '../types.js';
import { applyAugmentations, boundsOf, moveWhole } from './apply-augmentations.js';
import type { Augmentations } from './augmentations.js';
import { type Affine, aboutCentre, type Frame, moveImage, moveMask, swapSides } from './move.js';
import { eraseRectangle } from './rescan.js';
import { STRONG } from './strong.js';

/**
 * `paper`: flip, resize, pad, erase, crop. `ultrasound`: flip, gentle affine move, gain along depth, contrast and noise.
 * `strong`: wider moves and all scanner-dependent changes, for small datasets; see {@link STRONG}.
 */
type AugmentPreset = 'none' | 'paper' | 'ultrasound' | 'strong';

/** A preset or individual augmentations. */
export type AugmentChoice = AugmentPreset | Augmentations;

/** Minimum fraction of each object's area that stays in view after a gentle move. */
const KEPT_SHARE = 0.25;

/** Gentle moves tried before the image is left in place. */
const TRIES = 10;

/**
 * Augments an image and its masks together, or all frames of a clip alike (`ultrasound` alone). Boxes are recomputed from the
 * transformed masks. No object is lost: the crops of `paper` keep every object whole, the moves of `ultrasound` at least 0.25 of
 * each, those of `strong` at least 0.6.
 */
export function augment(sample: Sample, preset: AugmentChoice, rng: Rng): Sample {
  if (preset === 'none') return sample;
  if (sample.later !== undefined && preset !== 'ultrasound') throw new RangeError('augment: clips take ultrasound or none');
  if (preset === 'strong') return applyAugmentations(sample, STRONG, rng);
  if (typeof preset !== 'string') return applyAugmentations(sample, preset, rng);
  const { width, height } = sample.image;
  const flipped = rng.chance(0.5);
  const move = preset === 'paper' ? zoomOrPad(sample, rng) : gentleMoveOf(sample, rng);
  const source = { width, height, affine: flipped ? mirrored(move, width) : move };
  const image = moveImage(sample.image, source);
  const scan = preset === 'paper' ? undefined : drawScan(rng);
  const changed = scan === undefined ? sometimesErase(image, rng) : rescan(image, scan, rng);
  const rename = (phrase: string) => (flipped ? swapSides(phrase) : phrase);
  const objects = sample.objects.map((object) => moveWhole(object, source, rename));
  const still = { ...sample, image: changed, objects, phrases: sample.phrases.map(rename) };
  if (sample.later === undefined || scan === undefined) return still;
  // One probe and one scanner in all frames; the noise is each frame's own.
  const later = sample.later.map(({ image: own, masks }) => ({
    image: rescan(moveImage(own, source), scan, rng),
    masks: masks.map((mask) => moveMask(mask, source)),
  }));
  return { ...still, later };
}

/** Zooms in on a window that contains all objects (crop and resize) or out (pad and resize). */
function zoomOrPad({ image: { width, height }, objects }: Sample, rng: Rng): Affine {
  const [x0, y0, x1, y1] = boundsOf(objects) ?? [width, height, 0, 0]; // nothing to keep: any window will do
  const share = Math.min(1, Math.max((x1 - x0) / width, (y1 - y0) / height));
  const scale = Math.max(rng.uniform(0.7, 1.25), share);
  const free = (size: number, from: number, to: number) =>
    scale < 1
      ? rng.uniform(Math.max(0, Math.min(to, size) - size * scale), Math.max(0, Math.min(size * (1 - scale), from)))
      : -rng.uniform(0, size * (scale - 1));
  return [scale, 0, free(width, x0, x1), 0, scale, free(height, y0, y1)];
}

/** A gentle move that keeps every object in view. */
function gentleMoveOf({ image: { width, height }, objects }: Sample, rng: Rng): Affine {
  for (let k = 0; k < TRIES; k++) {
    const affine = gentleMove(width, height, rng);
    if (objects.every(({ mask }) => staysInView(mask, { width, height, affine }))) return affine;
  }
  return [1, 0, 0, 0, 1, 0];
}

function staysInView(mask: BinaryMask, frame: Frame): boolean {
  const [a, b, , d, e] = frame.affine;
  const growth = Math.abs(a * e - b * d);
  return maskArea(moveMask(mask, frame)) * growth >= KEPT_SHARE * maskArea(mask);
}

/** A small rotation, zoom, stretch and shift about the centre. */
function gentleMove(width: number, height: number, rng: Rng): Affine {
  const angle = rng.normal(0, 0.09);
  const zoom = rng.uniform(0.78, 1.18);
  const stretch = rng.uniform(0.88, 1.14);
  const shift = [rng.normal(0, 0.07) * width, rng.normal(0, 0.07) * height] as const;
  return aboutCentre({ width, height }, { angle, scale: [zoom * stretch, zoom / stretch], shift });
}

/** The same move followed by a left-right flip. */
function mirrored([a, b, c, d, e, f]: Affine, width: number): Affine {
  return [-a, b, c + a * width, -d, e, f + d * width];
}

/** Occasionally fills a random rectangle with grey noise. */
function sometimesErase(image: RasterImage, rng: Rng): RasterImage {
  return rng.chance(0.5) ? eraseRectangle(image, rng.uniform(0.02, 0.15), rng) : image;
}

/** A scanner's settings. */
interface Scan {
  readonly gamma: number;
  readonly gain: number;
  readonly slope: number;
  readonly noise: number;
}

function drawScan(rng: Rng): Scan {
  const gamma = Math.exp(rng.normal(0, 0.25));
  const gain = rng.uniform(0.75, 1.3);
  const slope = rng.normal(0, 0.15);
  return { gamma, gain, slope, noise: rng.uniform(0, 0.12) };
}

/** Gain, contrast, gain along depth and noise: varies the scanner's settings. */
function rescan({ width, height, data }: RasterImage, { gamma, gain, slope, noise }: Scan, rng: Rng): RasterImage {
  const curve = Float32Array.from({ length: 256 }, (_, i) => 255 * gain * (i / 255) ** gamma);
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    const depth = 1 + slope * ((2 * y) / height - 1);
    for (let x = 0; x < width; x++) {
      const speckle = 1 + noise * (rng.uniform() + rng.uniform() - 1) * 2;
      for (let k = 0; k < 3; k++) {
        const i = (y * width + x) * 3 + k;
        out[i] = Math.min(255, (curve[data[i] as number] as number) * depth * speckle);
      }
    }
  }
  return { width, height, data: out };
}
