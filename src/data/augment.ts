import { type BinaryMask, type BoxXyxy, boxOfMask, type RasterImage } from '../processing/index.js';
import type { Rng } from '../util/index.js';
import type { Sample, SampleObject } from './types.js';

/** `paper`: flip, resize, pad, erase, crop. `ultrasound`: flip, a gentle move, gain along depth, contrast and noise. */
export type AugmentPreset = 'none' | 'paper' | 'ultrasound';

/** A place in the source for a place in the result, as x' = a x + b y + c and so on, in pixels. */
type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** Share of an object's area that must stay in view for the object to be kept. */
const KEPT_SHARE = 0.25;

/** Changes an image and its masks together. Boxes are taken from the moved masks; objects that leave the view go. */
export function augment(sample: Sample, preset: AugmentPreset, rng: Rng): Sample {
  if (preset === 'none') return sample;
  const { width, height } = sample.image;
  const flipped = rng.chance(0.5);
  const move = preset === 'paper' ? zoomOrPad(width, height, rng) : gentleMove(width, height, rng);
  const source = flipped ? mirrored(move, width) : move;
  const image = moveImage(sample.image, source);
  const changed = preset === 'paper' ? erase(image, rng) : rescan(image, rng);
  const rename = (phrase: string) => (flipped ? swapSides(phrase) : phrase);
  const objects = sample.objects.flatMap((object) => moveObject(object, source, rename));
  return { ...sample, image: changed, objects, phrases: sample.phrases.map(rename) };
}

/** Zooms in on a part (crop and resize) or out (pad and resize). */
function zoomOrPad(width: number, height: number, rng: Rng): Affine {
  const scale = rng.uniform(0.7, 1.25);
  const free = (size: number) => (scale < 1 ? rng.uniform(0, size * (1 - scale)) : -rng.uniform(0, size * (scale - 1)));
  return [scale, 0, free(width), 0, scale, free(height)];
}

/** A small turn, zoom, stretch and shift about the middle. */
function gentleMove(width: number, height: number, rng: Rng): Affine {
  const angle = rng.normal(0, 0.09);
  const zoom = rng.uniform(0.78, 1.18);
  const stretch = rng.uniform(0.88, 1.14);
  const [sx, sy] = [zoom * stretch, zoom / stretch];
  const [cx, cy] = [width / 2, height / 2];
  const [tx, ty] = [rng.normal(0, 0.07) * width, rng.normal(0, 0.07) * height];
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

/** The same move after the result is mirrored left to right. */
function mirrored([a, b, c, d, e, f]: Affine, width: number): Affine {
  return [-a, b, c + a * width, -d, e, f + d * width];
}

function moveImage({ width, height, data }: RasterImage, [a, b, c, d, e, f]: Affine): RasterImage {
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const sx = a * (x + 0.5) + b * (y + 0.5) + c - 0.5;
      const sy = d * (x + 0.5) + e * (y + 0.5) + f - 0.5;
      if (sx < -0.5 || sy < -0.5 || sx > width - 0.5 || sy > height - 0.5) continue;
      const [x0, y0] = [Math.max(0, Math.floor(sx)), Math.max(0, Math.floor(sy))];
      const [x1, y1] = [Math.min(width - 1, x0 + 1), Math.min(height - 1, y0 + 1)];
      const [fx, fy] = [Math.max(0, sx - x0), Math.max(0, sy - y0)];
      for (let k = 0; k < 3; k++) {
        const at = (px: number, py: number) => data[(py * width + px) * 3 + k] as number;
        const upper = at(x0, y0) * (1 - fx) + at(x1, y0) * fx;
        const lower = at(x0, y1) * (1 - fx) + at(x1, y1) * fx;
        out[(y * width + x) * 3 + k] = Math.round(upper * (1 - fy) + lower * fy);
      }
    }
  }
  return { width, height, data: out };
}

function moveMask({ width, height, data }: BinaryMask, [a, b, c, d, e, f]: Affine): BinaryMask {
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const sx = Math.floor(a * (x + 0.5) + b * (y + 0.5) + c);
      const sy = Math.floor(d * (x + 0.5) + e * (y + 0.5) + f);
      if (sx >= 0 && sy >= 0 && sx < width && sy < height) out[y * width + x] = data[sy * width + sx] as number;
    }
  }
  return { width, height, data: out };
}

function moveObject(object: SampleObject, source: Affine, rename: (phrase: string) => string): SampleObject[] {
  const mask = moveMask(object.mask, source);
  const box: BoxXyxy | undefined = boxOfMask(mask);
  if (box === undefined) return [];
  const sum = (data: Uint8Array) => data.reduce((total, value) => total + value, 0);
  const growth = Math.abs(source[0] * source[4] - source[1] * source[3]);
  if (sum(mask.data) * growth < KEPT_SHARE * sum(object.mask.data)) return [];
  return [{ phrase: rename(object.phrase), boxXyxyPx: box, mask }];
}

/** Fills a random rectangle with grey noise, now and then. */
function erase(image: RasterImage, rng: Rng): RasterImage {
  if (!rng.chance(0.5)) return image;
  const { width, height } = image;
  const area = rng.uniform(0.02, 0.15) * width * height;
  const ratio = Math.exp(rng.uniform(Math.log(0.3), Math.log(3.3)));
  const w = Math.min(width, Math.max(1, Math.round(Math.sqrt(area * ratio))));
  const h = Math.min(height, Math.max(1, Math.round(Math.sqrt(area / ratio))));
  const [left, top] = [rng.int(width - w + 1), rng.int(height - h + 1)];
  const data = Uint8Array.from(image.data);
  for (let y = top; y < top + h; y++)
    for (let x = left; x < left + w; x++) data.fill(rng.int(256), (y * width + x) * 3, (y * width + x) * 3 + 3);
  return { width, height, data };
}

/** Gain, contrast, gain along depth, noise: what another setting of the scanner would show. */
function rescan({ width, height, data }: RasterImage, rng: Rng): RasterImage {
  const gamma = Math.exp(rng.normal(0, 0.25));
  const gain = rng.uniform(0.75, 1.3);
  const slope = rng.normal(0, 0.15);
  const noise = rng.uniform(0, 0.12);
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

/** A mirrored image shows on the left what was on the right. */
function swapSides(phrase: string): string {
  return phrase.replace(/\b(left|right)\b/g, (side) => (side === 'left' ? 'right' : 'left'));
}
