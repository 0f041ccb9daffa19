import type { Rng } from '../../util/index.js';

/** A row-major 2D field of numbers. */
export interface Field {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

export function field(width: number, height: number, value = 0): Field {
  return { width, height, data: new Float32Array(width * height).fill(value) };
}

/** Standard normal noise (Box-Muller, using both values of each pair). */
export function gaussianNoise(width: number, height: number, rng: Rng): Field {
  const data = new Float32Array(width * height);
  for (let i = 0; i < data.length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - rng.uniform()));
    const angle = 2 * Math.PI * rng.uniform();
    data[i] = radius * Math.cos(angle);
    if (i + 1 < data.length) data[i + 1] = radius * Math.sin(angle);
  }
  return { width, height, data };
}

/** A Gaussian of unit energy (its squares sum to 1), which preserves the variance of white noise. */
function kernel(sigma: number): Float32Array {
  const radius = Math.max(1, Math.ceil(2.5 * sigma));
  const taps = Float32Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-((i - radius) ** 2) / (2 * sigma * sigma)));
  const norm = Math.sqrt(taps.reduce((sum, tap) => sum + tap * tap, 0));
  return taps.map((tap) => tap / norm);
}

/** Separable filter whose width along x may vary by row. Borders are replicated. */
export function blur({ width, height, data }: Field, sigmaX: (row: number) => number, sigmaY: number): Field {
  const across = new Float32Array(data.length);
  let taps = kernel(sigmaX(0));
  for (let y = 0; y < height; y++) {
    if (y % 8 === 0) taps = kernel(sigmaX(y));
    convolveLine(data, y * width, 1, width, taps, across);
  }
  const out = new Float32Array(data.length);
  const down = kernel(sigmaY);
  for (let x = 0; x < width; x++) convolveLine(across, x, width, height, down, out);
  return { width, height, data: out };
}

function convolveLine(
  source: Float32Array,
  start: number,
  stride: number,
  length: number,
  taps: Float32Array,
  out: Float32Array,
): void {
  const radius = (taps.length - 1) / 2;
  for (let i = 0; i < length; i++) {
    let sum = 0;
    if (i >= radius && i + radius < length) {
      const first = start + (i - radius) * stride;
      for (let k = 0; k < taps.length; k++) sum += (taps[k] as number) * (source[first + k * stride] as number);
    } else {
      for (let k = -radius; k <= radius; k++) {
        const j = Math.min(Math.max(i + k, 0), length - 1);
        sum += (taps[k + radius] as number) * (source[start + j * stride] as number);
      }
    }
    out[start + i * stride] = sum;
  }
}

/** Smooth noise of about unit variance: a coarse grid of normal values, interpolated. `cellX` and `cellY` are in pixels. */
export function smoothNoise(width: number, height: number, cellX: number, cellY: number, rng: Rng): Field {
  const columns = Math.ceil(width / cellX) + 2;
  const rows = Math.ceil(height / cellY) + 2;
  const grid = gaussianNoise(columns, rows, rng);
  const out = field(width, height);
  const [ox, oy] = [rng.uniform(), rng.uniform()];
  const left = new Int32Array(width);
  const share = new Float64Array(width);
  for (let x = 0; x < width; x++) [left[x], share[x]] = cell(x / cellX + ox);
  for (let y = 0; y < height; y++) {
    const [y0, fy] = cell(y / cellY + oy);
    const [above, below] = [Math.min(rows - 1, y0) * columns, Math.min(rows - 1, y0 + 1) * columns];
    for (let x = 0; x < width; x++) {
      const x0 = Math.min(columns - 1, left[x] as number);
      const x1 = Math.min(columns - 1, x0 + 1);
      const fx = share[x] as number;
      const [a, b] = [grid.data[above + x0] as number, grid.data[below + x0] as number];
      const upper = a + fx * ((grid.data[above + x1] as number) - a);
      const lower = b + fx * ((grid.data[below + x1] as number) - b);
      out.data[y * width + x] = 1.5 * (upper + fy * (lower - upper));
    }
  }
  return out;
}

/** Integer part and smoothed fraction. */
function cell(position: number): [number, number] {
  const low = Math.floor(position);
  const t = position - low;
  return [low, t * t * (3 - 2 * t)];
}

/** Bilinear value at a position in pixels; `outside` beyond the border. */
export function sampleAt({ width, height, data }: Field, x: number, y: number, outside: number): number {
  if (x < 0 || y < 0 || x > width - 1 || y > height - 1) return outside;
  const [x0, y0] = [Math.floor(x), Math.floor(y)];
  const [x1, y1] = [Math.min(x0 + 1, width - 1), Math.min(y0 + 1, height - 1)];
  const [fx, fy] = [x - x0, y - y0];
  const [above, below] = [y0 * width, y1 * width];
  const upper = (data[above + x0] as number) * (1 - fx) + (data[above + x1] as number) * fx;
  const lower = (data[below + x0] as number) * (1 - fx) + (data[below + x1] as number) * fx;
  return upper * (1 - fy) + lower * fy;
}
