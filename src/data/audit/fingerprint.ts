import { createHash } from 'node:crypto';
import type { RasterImage } from '../../imaging/index.js';

/** Side of the grey thumbnail that is transformed. */
const THUMBNAIL = 32;

/** Number of lowest frequencies kept per axis; the mean is dropped. */
const FREQUENCIES = 16;

/** 32-bit words per fingerprint. */
export const WORDS = (FREQUENCIES * FREQUENCIES) / 32;

/** Standard deviation of the thumbnail, in grey levels, below which an image has nothing to compare. */
const FLAT = 2;

/** Fingerprint of an image, for finding copies. */
export interface Fingerprint {
  /**
   * SHA-256 of the size and the pixels: equal for the same image in another file or losslessly re-saved. Undefined for an image
   * of one constant value: the empty end slices of two patients' volumes are not copies.
   */
  readonly exact: string | undefined;
  /**
   * Signs of the lowest frequencies, in hexadecimal; undefined for an image without contrast. Changing the brightness affects
   * only the dropped mean and changing the contrast scales all coefficients, so neither changes a sign; mirroring flips known
   * ones.
   */
  readonly signs: string | undefined;
}

/** Computes an image's fingerprint. */
export function fingerprintOf(image: RasterImage): Fingerprint {
  if (isUniform(image)) return { exact: undefined, signs: undefined };
  const hash = createHash('sha256').update(`${image.width}x${image.height}\n`).update(image.data);
  const thumbnail = thumbnailOf(image);
  return { exact: hash.digest('hex').slice(0, 32), signs: deviation(thumbnail) < FLAT ? undefined : hexOf(signsOf(thumbnail)) };
}

function isUniform({ data }: RasterImage): boolean {
  const first = data[0];
  return data.every((value) => value === first);
}

/** Averages of the grey image over equal areas. */
function thumbnailOf({ width, height, data }: RasterImage): Float64Array {
  const n = THUMBNAIL;
  const rows = new Float64Array(n * height);
  for (let y = 0; y < height; y++)
    for (let cell = 0; cell < n; cell++) {
      const [from, to] = [(cell * width) / n, ((cell + 1) * width) / n];
      let sum = 0;
      for (let x = Math.floor(from); x < to; x++) {
        const at = (y * width + x) * 3;
        const grey = 0.299 * (data[at] as number) + 0.587 * (data[at + 1] as number) + 0.114 * (data[at + 2] as number);
        sum += grey * (Math.min(to, x + 1) - Math.max(from, x));
      }
      rows[y * n + cell] = sum / (to - from);
    }
  const out = new Float64Array(n * n);
  for (let cell = 0; cell < n; cell++) {
    const [from, to] = [(cell * height) / n, ((cell + 1) * height) / n];
    for (let y = Math.floor(from); y < to; y++) {
      const share = (Math.min(to, y + 1) - Math.max(from, y)) / (to - from);
      for (let x = 0; x < n; x++) out[cell * n + x] = (out[cell * n + x] as number) + share * (rows[y * n + x] as number);
    }
  }
  return out;
}

function deviation(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

/** Cosines of the discrete cosine transform, [frequency, position]. */
const COSINES = Float64Array.from({ length: FREQUENCIES * THUMBNAIL }, (_, i) =>
  Math.cos((Math.PI * Math.floor(i / THUMBNAIL) * ((i % THUMBNAIL) + 0.5)) / THUMBNAIL),
);

/** Frequency positions from low to high: the first words discriminate best. */
const ORDER = Array.from({ length: FREQUENCIES * FREQUENCIES }, (_, i) => ({
  u: i % FREQUENCIES,
  v: Math.floor(i / FREQUENCIES),
}))
  .sort((a, b) => a.u + a.v - (b.u + b.v) || a.u - b.u)
  .slice(1);

function coefficientsOf(thumbnail: Float64Array): Float64Array {
  const n = THUMBNAIL;
  const across = new Float64Array(n * FREQUENCIES);
  for (let y = 0; y < n; y++)
    for (let u = 0; u < FREQUENCIES; u++) {
      let sum = 0;
      for (let x = 0; x < n; x++) sum += (thumbnail[y * n + x] as number) * (COSINES[u * n + x] as number);
      across[y * FREQUENCIES + u] = sum;
    }
  return Float64Array.from(ORDER, ({ u, v }) => {
    let sum = 0;
    for (let y = 0; y < n; y++) sum += (across[y * FREQUENCIES + u] as number) * (COSINES[v * n + y] as number);
    return sum;
  });
}

function signsOf(thumbnail: Float64Array): Uint32Array {
  return packed(coefficientsOf(thumbnail), (value) => value > 0);
}

function packed<T>(values: ArrayLike<T>, bit: (value: T) => boolean): Uint32Array {
  const words = new Uint32Array(WORDS);
  for (let i = 0; i < values.length; i++) if (bit(values[i] as T)) words[i >> 5] = (words[i >> 5] as number) | (1 << (i & 31));
  return words;
}

/** Sign flips caused by mirroring: none, left-right, up-down, both. */
export const MIRRORS: readonly Uint32Array[] = [
  [0, 0],
  [1, 0],
  [0, 1],
  [1, 1],
].map(([h, v]) => packed(ORDER, (place) => (((h as number) * place.u + (v as number) * place.v) & 1) === 1));

function hexOf(words: Uint32Array): string {
  return Array.from(words, (word) => word.toString(16).padStart(8, '0')).join('');
}

/** Parses {@link Fingerprint.signs} into words. */
export function wordsOf(signs: string): Uint32Array {
  return Uint32Array.from({ length: WORDS }, (_, i) => Number.parseInt(signs.slice(8 * i, 8 * i + 8), 16));
}
