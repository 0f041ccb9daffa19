import type { RasterImage } from '../processing/index.js';
import type { Rng } from '../util/index.js';

/** Fills a random rectangle that covers the given share of the image with grey noise. */
export function eraseRectangle(image: RasterImage, share: number, rng: Rng): RasterImage {
  const { width, height } = image;
  const area = share * width * height;
  const ratio = Math.exp(rng.uniform(Math.log(0.3), Math.log(3.3)));
  const w = Math.min(width, Math.max(1, Math.round(Math.sqrt(area * ratio))));
  const h = Math.min(height, Math.max(1, Math.round(Math.sqrt(area / ratio))));
  const [left, top] = [rng.int(width - w + 1), rng.int(height - h + 1)];
  const data = Uint8Array.from(image.data);
  for (let y = top; y < top + h; y++)
    for (let x = left; x < left + w; x++) data.fill(rng.int(256), (y * width + x) * 3, (y * width + x) * 3 + 3);
  return { width, height, data };
}

/** Multiplies the brightness. */
export function changeGain({ width, height, data }: RasterImage, gain: number): RasterImage {
  return { width, height, data: Uint8Array.from(data, (value) => Math.min(255, Math.round(value * gain))) };
}

/** Multiplies each pixel by 1 plus normal noise of the given standard deviation. */
export function speckle({ width, height, data }: RasterImage, std: number, rng: Rng): RasterImage {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 3) {
    const factor = 1 + rng.normal(0, std);
    for (let k = i; k < i + 3; k++) out[k] = Math.min(255, Math.max(0, Math.round((data[k] as number) * factor)));
  }
  return { width, height, data: out };
}

/** Blurs sideways, where a beam is widest far from the probe: not at all at the top, by `sigma` pixels at the bottom. */
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

/** Weights of the middle and of the places to one side, to three standard deviations; with the other side they sum to 1. */
function gaussian(sigma: number): number[] {
  const reach = Math.ceil(3 * sigma);
  const raw = Array.from({ length: reach + 1 }, (_, d) => (d === 0 ? 1 : Math.exp(-((d / sigma) ** 2) / 2)));
  const total = raw.reduce((sum, value, d) => sum + (d === 0 ? value : 2 * value), 0);
  return raw.map((value) => value / total);
}
