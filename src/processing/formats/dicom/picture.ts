import type { RasterImage } from '../../raster-image.js';
import type { DicomHeader } from './dicom-header.js';
import type { Palette } from './palette.js';
import type { Samples } from './samples.js';

/** A frame's stored numbers as a picture. */
export function pictureOf({ values, rgb }: Samples, header: DicomHeader, palette: Palette | undefined): RasterImage {
  const { width, height, spacingMm } = header;
  const data = colours(values, rgb, header, palette);
  return { width, height, data, ...(spacingMm === undefined ? {} : { spacingMm }) };
}

function colours(values: ArrayLike<number>, rgb: boolean, header: DicomHeader, palette: Palette | undefined): Uint8Array {
  if (header.samples === 3) {
    const bytes = Uint8Array.from(values);
    return rgb || header.photometric === 'RGB' ? bytes : fromYbr(bytes);
  }
  const stored = signExtended(values, header);
  return palette === undefined ? grey(stored, header) : through(stored, palette);
}

/** Full-range luminance and colour differences, as in JPEG (DICOM PS3.3, C.7.6.3.1.2). */
function fromYbr(bytes: Uint8Array): Uint8Array {
  const out = new Uint8ClampedArray(bytes.length);
  for (let i = 0; i < bytes.length; i += 3) {
    const [y, cb, cr] = [bytes[i] as number, (bytes[i + 1] as number) - 128, (bytes[i + 2] as number) - 128];
    out[i] = y + 1.402 * cr;
    out[i + 1] = y - 0.344136 * cb - 0.714136 * cr;
    out[i + 2] = y + 1.772 * cb;
  }
  return new Uint8Array(out.buffer);
}

/** The stored bits of each number, with their sign. What other bits hold (overlays, rubbish) is dropped. */
function signExtended(values: ArrayLike<number>, { bitsStored, highBit, signed }: DicomHeader): Int32Array {
  const [up, down] = [31 - highBit, 32 - bitsStored];
  return Int32Array.from(values, (value) => (signed ? (value << up) >> down : (value << up) >>> down));
}

function through(values: Int32Array, { first, tables }: Palette): Uint8Array {
  const out = new Uint8Array(values.length * 3);
  for (const [c, table] of tables.entries())
    for (let i = 0; i < values.length; i++) {
      const at = Math.min(table.length - 1, Math.max(0, (values[i] as number) - first));
      out[i * 3 + c] = table[at] as number;
    }
  return out;
}

/** Grey from black to white by the file's window; without one, bytes as they are and deeper numbers from the frame's smallest to its largest. */
function grey(values: Int32Array, header: DicomHeader): Uint8Array {
  const { slope, intercept, photometric, bitsStored, signed, window } = header;
  const show = window === undefined ? spread(values, bitsStored <= 8 && !signed) : windowed(window);
  const out = new Uint8Array(values.length * 3);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    const level = Math.round(255 * Math.min(1, Math.max(0, show(window === undefined ? value : value * slope + intercept))));
    out.fill(photometric === 'MONOCHROME1' ? 255 - level : level, i * 3, i * 3 + 3);
  }
  return out;
}

function spread(values: Int32Array, asIs: boolean): (value: number) => number {
  if (asIs) return (value) => value / 255;
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return max > min ? (value) => (value - min) / (max - min) : () => 0;
}

/** From 0, black, to 1, white (DICOM PS3.3, C.11.2.1.2 and C.11.2.1.3). */
function windowed({ center, width, shape }: NonNullable<DicomHeader['window']>): (value: number) => number {
  if (shape === 'SIGMOID') return (value) => 1 / (1 + Math.exp((-4 * (value - center)) / width));
  if (shape === 'LINEAR_EXACT') return (value) => (value - center) / width + 0.5;
  return (value) => (width <= 1 ? Number(value > center - 0.5) : (value - (center - 0.5)) / (width - 1) + 0.5);
}
