import type { RasterImage } from '../../imaging/index.js';

/** One channel of an image, one byte per pixel, row-major. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** The channels of an image; a grey image, as most ultrasound is, yields a single channel. */
export function splitPlanes({ width, height, data }: RasterImage): Plane[] {
  return (isGrey(data) ? [0] : [0, 1, 2]).map((channel) => {
    const out = new Uint8Array(width * height);
    for (let i = 0; i < out.length; i++) out[i] = data[3 * i + channel] as number;
    return { width, height, data: out };
  });
}

/** Builds an image from one grey channel or from three. */
export function mergePlanes(planes: readonly Plane[]): RasterImage {
  const [red, green, blue] = planes.length === 1 ? [planes[0], planes[0], planes[0]] : planes;
  if (red === undefined || green === undefined || blue === undefined) throw new RangeError('mergePlanes: expected 1 or 3 planes');
  const { width, height } = red;
  const data = new Uint8Array(width * height * 3);
  for (let i = 0, k = 0; i < width * height; i++, k += 3) {
    data[k] = red.data[i] as number;
    data[k + 1] = green.data[i] as number;
    data[k + 2] = blue.data[i] as number;
  }
  return { width, height, data };
}

function isGrey(data: Uint8Array): boolean {
  for (let i = 0; i < data.length; i += 3) if (data[i] !== data[i + 1] || data[i] !== data[i + 2]) return false;
  return true;
}
