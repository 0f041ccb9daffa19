import type { RasterImage } from '../../imaging/index.js';
import type { Rng } from '../../util/index.js';
import type { Fill } from './augmentations.js';
import { movePlane } from './move.js';
import type { Plane } from './planes.js';

/** A rectangle in integer pixels. */
type Rectangle = readonly [left: number, top: number, right: number, bottom: number];

/** Fills a random rectangle of the given fraction of the image with grey noise. */
export function eraseRectangle(image: RasterImage, share: number, rng: Rng): RasterImage {
  return fillRectangles(image, [drawRectangle(image, share, rng)], 'noise', rng);
}

/** A random rectangle of the given fraction of an image, with an aspect ratio between about 1:3 and 3:1. */
export function drawRectangle({ width, height }: RasterImage, share: number, rng: Rng): Rectangle {
  const area = share * width * height;
  const ratio = Math.exp(rng.uniform(Math.log(0.3), Math.log(3.3)));
  const w = Math.min(width, Math.max(1, Math.round(Math.sqrt(area * ratio))));
  const h = Math.min(height, Math.max(1, Math.round(Math.sqrt(area / ratio))));
  const [left, top] = [rng.int(width - w + 1), rng.int(height - h + 1)];
  return [left, top, left + w, top + h];
}

/** The image with filled rectangles. */
export function fillRectangles(image: RasterImage, rectangles: readonly Rectangle[], fill: Fill, rng: Rng): RasterImage {
  const { width, height } = image;
  const data = Uint8Array.from(image.data);
  const [mean, std] = fill === 'own' ? momentsOf(image.data) : [0, 0];
  const grey = fill === 'own' ? () => Math.min(255, Math.max(0, Math.round(rng.normal(mean, std)))) : () => rng.int(256);
  for (const [left, top, right, bottom] of rectangles)
    for (let y = top; y < bottom; y++)
      for (let x = left; x < right; x++) data.fill(grey(), (y * width + x) * 3, (y * width + x) * 3 + 3);
  return { width, height, data };
}

function momentsOf(data: Uint8Array): [mean: number, std: number] {
  let [sum, squares] = [0, 0];
  for (const value of data) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / data.length;
  return [mean, Math.sqrt(Math.max(0, squares / data.length - mean * mean))];
}

/** Simulates a coarser scanner: downsamples to a fraction of each side by averaging, and upsamples again. */
export function loseResolution(plane: Plane, share: number): Plane {
  const { width, height } = plane;
  const small = reduce(plane, Math.max(1, Math.round(width * share)), Math.max(1, Math.round(height * share)));
  return movePlane(small, { width, height, affine: [small.width / width, 0, 0, 0, small.height / height, 0] });
}

/** Downsampling by area averaging. */
function reduce({ width, height, data }: Plane, toWidth: number, toHeight: number): Plane {
  const out = new Uint8Array(toWidth * toHeight);
  for (let y = 0; y < toHeight; y++) {
    const [top, bottom] = [Math.floor((y * height) / toHeight), Math.ceil(((y + 1) * height) / toHeight)];
    for (let x = 0; x < toWidth; x++) {
      const [left, right] = [Math.floor((x * width) / toWidth), Math.ceil(((x + 1) * width) / toWidth)];
      let sum = 0;
      for (let sy = top; sy < bottom; sy++) for (let i = sy * width + left; i < sy * width + right; i++) sum += data[i] as number;
      out[y * toWidth + x] = Math.round(sum / ((bottom - top) * (right - left)));
    }
  }
  return { width: toWidth, height: toHeight, data: out };
}

/** Gaussian blur with a standard deviation in pixels: the softness of compressed and enlarged images. */
export function soften({ width, height, data }: Plane, sigma: number): Plane {
  const weights = gaussian(sigma);
  const reach = weights.length - 1;
  const across = new Float32Array(data.length);
  const line = new Float32Array(width + 2 * reach);
  for (let y = 0; y < height; y++) {
    for (let x = -reach; x < width + reach; x++)
      line[x + reach] = data[y * width + Math.min(width - 1, Math.max(0, x))] as number;
    for (let x = 0; x < width; x++) {
      let sum = (weights[0] as number) * (line[x + reach] as number);
      for (let d = 1; d <= reach; d++)
        sum += (weights[d] as number) * ((line[x + reach - d] as number) + (line[x + reach + d] as number));
      across[y * width + x] = sum;
    }
  }
  const out = new Uint8Array(data.length);
  const sums = new Float32Array(width);
  for (let y = 0; y < height; y++) {
    sums.fill(0.5); // rounds
    for (let d = -reach; d <= reach; d++) {
      const weight = weights[Math.abs(d)] as number;
      const row = Math.min(height - 1, Math.max(0, y + d)) * width;
      for (let x = 0; x < width; x++) sums[x] = (sums[x] as number) + weight * (across[row + x] as number);
    }
    for (let x = 0; x < width; x++) out[y * width + x] = sums[x] as number;
  }
  return { width, height, data: out };
}

/** Horizontal blur that grows with depth, as the beam widens: 0 at the top, `sigma` pixels at the bottom. */
export function blurByDepth({ width, height, data }: RasterImage, sigma: number): RasterImage {
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    const weights = gaussian((sigma * (y + 0.5)) / height);
    const reach = weights.length - 1;
    for (let x = 0; x < width; x++) {
      for (let k = 0; k < 3; k++) {
        let sum = 0;
        for (let d = -reach; d <= reach; d++) {
          const at = Math.min(width - 1, Math.max(0, x + d));
          sum += (weights[Math.abs(d)] as number) * (data[(y * width + at) * 3 + k] as number);
        }
        out[(y * width + x) * 3 + k] = Math.round(sum);
      }
    }
  }
  return { width, height, data: out };
}

/** Weights of the centre and of one side, up to three standard deviations; with the other side they sum to 1. */
function gaussian(sigma: number): number[] {
  const reach = Math.ceil(3 * sigma);
  const raw = Array.from({ length: reach + 1 }, (_, d) => (d === 0 ? 1 : Math.exp(-((d / sigma) ** 2) / 2)));
  const total = raw.reduce((sum, value, d) => sum + (d === 0 ? value : 2 * value), 0);
  return raw.map((value) => value / total);
}
