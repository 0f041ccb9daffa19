import type { Rng } from '../../util/index.js';
import type { Augmentations } from './augmentations.js';
import type { Plane } from './planes.js';
import { logUniform } from './reframe.js';

/** A change of grey levels: a curve over levels, then a factor per pixel. */
interface Light {
  /** The new level of each of the 256 levels. */
  readonly curve: Float32Array;
  /** A factor per pixel, row-major; undefined: 1. */
  readonly factors: Float32Array | undefined;
}

/** Number of time-gain compensation levels, from the probe down: as many as most scanners have sliders. */
const SLIDERS = 8;

/** Draws gain, dynamic range, gamma, attenuation, shadows, enhancements and speckle, and applies them in one pass. */
export function relight(planes: readonly Plane[], wanted: Augmentations, rng: Rng): Plane[] {
  const [first] = planes;
  if (first === undefined) return [];
  const curve = drawCurve(wanted, rng);
  const light = { curve, factors: drawFactors(first.width, first.height, wanted, rng) };
  return planes.map((plane) => applyLight(plane, light));
}

function drawCurve({ gain, dynamicRange, gamma }: Augmentations, rng: Rng): Float32Array {
  const bright = gain === undefined ? 1 : rng.uniform(...gain);
  const span = dynamicRange !== undefined && rng.chance(dynamicRange.chance) ? logUniform(dynamicRange.factor, rng) : 1;
  const power = gamma !== undefined && rng.chance(gamma.chance) ? logUniform(gamma.exponent, rng) : 1;
  // A level is a fraction of the dynamic range below white, so changing the range moves black and keeps white. Levels lifted by a
  // wider range fade in from black, which stays black: there are no echoes outside the scan.
  const shown = (v: number) => Math.max(0, v - (1 - v) * (1 / span - 1) * (span > 1 ? smooth(Math.min(1, 4 * v)) : 1));
  const level = (v: number) => bright * shown(v) ** power;
  return Float32Array.from({ length: 256 }, (_, i) => 255 * level(i / 255));
}

function drawFactors(width: number, height: number, wanted: Augmentations, rng: Rng): Float32Array | undefined {
  const { attenuation, shadow, enhancement, speckle } = wanted;
  if ([attenuation, shadow, enhancement, speckle].every((change) => change === undefined)) return undefined;
  const factors = new Float32Array(width * height).fill(1);
  if (attenuation !== undefined && rng.chance(attenuation.chance)) attenuate(factors, width, attenuation, rng);
  for (const cast of [shadow, enhancement]) {
    if (cast === undefined || !rng.chance(cast.chance)) continue;
    for (let k = 1 + rng.int(cast.most); k > 0; k--) castShadow(factors, width, height, rng.uniform(...cast.factor), rng);
  }
  if (speckle !== undefined) {
    const { most, grain } = typeof speckle === 'number' ? { most: speckle, grain: [1, 1] as const } : speckle;
    const [std, size] = [rng.uniform(0, most), rng.uniform(...grain)];
    multiplySpeckle(factors, width, height, std, size, rng);
  }
  return factors;
}

/** Gain along depth: a slope plus an interpolated curve of time-gain compensation sliders. */
function attenuate(
  factors: Float32Array,
  width: number,
  { slope, bands }: { readonly slope: number; readonly bands: number },
  rng: Rng,
) {
  const decibel = rng.uniform(-slope, slope);
  const sliders = Array.from({ length: SLIDERS }, () => rng.uniform(-bands, bands));
  const height = factors.length / width;
  for (let y = 0; y < height; y++) {
    const depth = (y + 0.5) / height;
    const at = depth * (SLIDERS - 1);
    const [above, below] = [sliders[Math.floor(at)] as number, sliders[Math.floor(at) + 1] as number];
    const band = above + (below - above) * smooth(at - Math.floor(at));
    const factor = 10 ** ((decibel * (depth - 0.5) + band) / 20);
    for (let i = y * width; i < (y + 1) * width; i++) factors[i] = (factors[i] as number) * factor;
  }
}

/** A wedge with soft edges below a random position, in beam direction, whose content is multiplied by a factor. */
function castShadow(factors: Float32Array, width: number, height: number, factor: number, rng: Rng) {
  const top = rng.uniform(0.05, 0.65) * height;
  const across = rng.uniform();
  const half = rng.uniform(0.02, 0.09) * width;
  const spread = rng.uniform(0.02, 0.2);
  const lean = (2 * across - 1) * rng.uniform(0, 0.35); // outwards, as the beams of a curved probe
  const soft = rng.uniform(0.6, 1); // fraction of the half width over which it fades
  for (let y = Math.floor(top); y < height; y++) {
    const depth = y + 1 - top;
    const change = (factor - 1) * smooth(Math.min(1, depth / (0.1 * height)));
    const [middle, reach] = [across * width + lean * depth, half + spread * depth];
    const to = Math.min(width, Math.ceil(middle + reach));
    for (let x = Math.max(0, Math.floor(middle - reach)); x < to; x++) {
      const inside = (1 - Math.abs(x + 0.5 - middle) / reach) / soft;
      const i = y * width + x;
      if (inside > 0) factors[i] = (factors[i] as number) * (1 + change * smooth(Math.min(1, inside)));
    }
  }
}

/** Multiplies by 1 plus approximately normal noise with grains `grain` pixels wide and 0.6 times as high. */
function multiplySpeckle(factors: Float32Array, width: number, height: number, std: number, grain: number, rng: Rng) {
  const across = Math.min(width, Math.max(1, Math.round(grain)));
  const down = Math.min(height, Math.max(1, Math.round(0.6 * grain)));
  const white = new Int32Array(width * height);
  let word = rng.uint32() | 1; // one draw seeds a xorshift (Marsaglia), which is cheaper than a draw per pixel
  for (let i = 0; i < white.length; i++) {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    // the sum of four bytes is approximately normal and much cheaper than a normal deviate
    white[i] = (word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24) - 510;
  }
  const noise = sumDown(sumAcross(white, width, across), width, down);
  // The variance of a byte is (256² - 1) / 12. Two moving sums of n form a triangle whose squared weights sum to n (2 n² + 1) /
  // 3.
  const [acrossWeight, downWeight] = [across, down].map((n) => (n * (2 * n * n + 1)) / 3) as [number, number];
  const scale = std / Math.sqrt(((4 * (256 ** 2 - 1)) / 12) * acrossWeight * downWeight);
  for (let i = 0; i < noise.length; i++) factors[i] = (factors[i] as number) * Math.max(0, 1 + scale * (noise[i] as number));
}

/** Two moving sums of n along each row, with periodic boundary. */
function sumAcross(values: Int32Array, width: number, n: number): Int32Array {
  if (n === 1) return values;
  const row = new Int32Array(width + 2 * (n - 1));
  for (let start = 0; start < values.length; start += width) {
    for (let x = 0; x < row.length; x++) row[x] = values[start + (x < width ? x : x % width)] as number;
    let [inner, outer] = [0, 0];
    for (let x = 0; x < n - 1; x++) inner += row[x] as number;
    // In place: values leaving a sum are still needed, so the first sums are stored behind them.
    for (let x = 0; x < width + n - 1; x++) {
      const first = row[x] as number;
      inner += row[x + n - 1] as number;
      row[x] = inner;
      inner -= first;
    }
    for (let x = 0; x < n - 1; x++) outer += row[x] as number;
    for (let x = 0; x < width; x++) {
      outer += row[x + n - 1] as number;
      values[start + x] = outer;
      outer -= row[x] as number;
    }
  }
  return values;
}

/** Two moving sums of n down each column, with periodic boundary. */
function sumDown(values: Int32Array, width: number, n: number): Int32Array {
  if (n === 1) return values;
  let from = values;
  for (let pass = 0; pass < 2; pass++) {
    const out = new Int32Array(from.length);
    const sums = new Int32Array(width);
    for (let i = 0; i < (n - 1) * width; i++) sums[i % width] = (sums[i % width] as number) + (from[i] as number);
    for (let start = 0; start < from.length; start += width) {
      const next = (start + (n - 1) * width) % from.length;
      for (let x = 0; x < width; x++) {
        const sum = (sums[x] as number) + (from[next + x] as number);
        out[start + x] = sum;
        sums[x] = sum - (from[start + x] as number);
      }
    }
    from = out;
  }
  return from;
}

function applyLight({ width, height, data }: Plane, { curve, factors }: Light): Plane {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const level = (curve[data[i] as number] as number) * (factors === undefined ? 1 : (factors[i] as number));
    out[i] = level < 255 ? level + 0.5 : 255; // rounds: storing a byte truncates
  }
  return { width, height, data: out };
}

/** Smoothstep from 0 to 1. */
function smooth(t: number): number {
  return t * t * (3 - 2 * t);
}
