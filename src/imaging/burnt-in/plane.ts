import type { RasterImage } from '../raster-image.js';

/** Loops over pixels look up globals slowly in some contexts. */
const { floor, max, min, round } = Math;

/** A level per pixel, row-major. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** The brightest of the three colours of each pixel: text of any bright colour stays bright. */
export function brightness({ width, height, data }: RasterImage): Plane {
  const out = new Uint8Array(width * height);
  for (let i = 0; i < out.length; i++) out[i] = max(data[3 * i] as number, data[3 * i + 1] as number, data[3 * i + 2] as number);
  return { width, height, data: out };
}

/** The range of the three colours of each pixel: 0 for grey. */
export function saturation({ width, height, data }: RasterImage): Plane {
  const out = new Uint8Array(width * height);
  for (let i = 0; i < out.length; i++) {
    const [r, g, b] = [data[3 * i] as number, data[3 * i + 1] as number, data[3 * i + 2] as number];
    out[i] = max(r, g, b) - min(r, g, b);
  }
  return { width, height, data: out };
}

/** The lowest level of each pixel over frames of one size: what stands still keeps its level, moving echoes darken. */
export function darkest(planes: readonly Plane[]): Plane {
  return combined(planes, min);
}

/** The highest level of each pixel over frames of one size. */
export function brightest(planes: readonly Plane[]): Plane {
  return combined(planes, max);
}

/** @returns 255 minus each level. */
export function inverted({ width, height, data }: Plane): Plane {
  return { width, height, data: data.map((level) => 255 - level) };
}

function combined(planes: readonly Plane[], choose: (a: number, b: number) => number): Plane {
  const [first, ...rest] = planes as [Plane, ...Plane[]];
  const data = Uint8Array.from(first.data);
  for (const plane of rest) for (let i = 0; i < data.length; i++) data[i] = choose(data[i] as number, plane.data[i] as number);
  return { width: first.width, height: first.height, data };
}

/** Doubles a plane in size, linearly between pixels: letters of a few pixels have no plateau otherwise. */
export function doubled({ width, height, data }: Plane): Plane {
  const out = new Uint8Array(4 * width * height);
  for (let y = 0; y < 2 * height; y++) {
    const v = max(0, (y - 0.5) / 2);
    const [y0, fy] = [floor(v), v - floor(v)];
    const y1 = min(height - 1, y0 + 1);
    for (let x = 0; x < 2 * width; x++) {
      const u = max(0, (x - 0.5) / 2);
      const [x0, fx] = [floor(u), u - floor(u)];
      const x1 = min(width - 1, x0 + 1);
      const at = (r: number, c: number) => data[r * width + c] as number;
      const top = at(y0, x0) * (1 - fx) + at(y0, x1) * fx;
      const bottom = at(y1, x0) * (1 - fx) + at(y1, x1) * fx;
      out[2 * y * width + x] = round(top * (1 - fy) + bottom * fy);
    }
  }
  return { width: 2 * width, height: 2 * height, data: out };
}
