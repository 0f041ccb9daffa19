import { calibrated, type RasterImage } from '../../raster-image.js';
import { rgbFromYbr } from './colour.js';
import type { DicomHeader } from './dicom-header.js';
import type { Palette } from './palette.js';
import type { Samples } from './samples.js';

/** Converts a frame's stored values to an image. */
export function renderFrame(samples: Samples, header: DicomHeader, palette: Palette | undefined, frame: number): RasterImage {
  const { width, height, calibrations } = header;
  const data = colours(samples, header, palette);
  return calibrated({ width, height, data }, calibrations.length === 1 ? calibrations[0] : calibrations[frame]);
}

function colours(samples: Samples, header: DicomHeader, palette: Palette | undefined): Uint8Array {
  if (header.samples === 3) {
    const bytes = Uint8Array.from(samples.values);
    return samples.colours === 'rgb' ? bytes : rgbFromYbr(bytes);
  }
  const stored = storedNumbers(samples, header);
  return palette === undefined ? grey(stored, header, samples.bits ?? header.bitsStored) : through(stored, palette);
}

/** Extracts the stored bits of each value, sign-extended. Other bits (overlays, garbage) are dropped. */
export function storedNumbers({ values, bits }: Samples, { bitsStored, highBit, signed }: DicomHeader): Int32Array {
  const [up, down] = bits === undefined ? [31 - highBit, 32 - bitsStored] : [32 - bits, 32 - bits];
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

/**
 * Maps grey values to bytes by the file's window; without one, bytes are unchanged and deeper values are scaled from the frame's
 * minimum to its maximum. Padding is excluded from both and becomes black.
 */
function grey(values: Int32Array, header: DicomHeader, bits: number): Uint8Array {
  const { slope, intercept, photometric, signed, window, padding } = header;
  const asIs = bits <= 8 && !signed;
  const show = window === undefined ? spread(values, asIs, padding) : windowed(window);
  const out = new Uint8Array(values.length * 3);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (!asIs && isPadding(value, padding)) continue;
    const level = Math.round(255 * Math.min(1, Math.max(0, show(window === undefined ? value : value * slope + intercept))));
    out.fill(photometric === 'MONOCHROME1' ? 255 - level : level, i * 3, i * 3 + 3);
  }
  return out;
}

function isPadding(value: number, padding: DicomHeader['padding']): boolean {
  return padding !== undefined && value >= padding[0] && value <= padding[1];
}

function spread(values: Int32Array, asIs: boolean, padding: DicomHeader['padding']): (value: number) => number {
  if (asIs) return (value) => value / 255;
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (isPadding(value, padding)) continue;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return max > min ? (value) => (value - min) / (max - min) : () => 0;
}

/** Maps a value to a grey level from 0, black, to 1, white (DICOM PS3.3, C.11.2.1.2 and C.11.2.1.3). */
function windowed({ center, width, shape }: NonNullable<DicomHeader['window']>): (value: number) => number {
  if (shape === 'SIGMOID') return (value) => 1 / (1 + Math.exp((-4 * (value - center)) / width));
  if (shape === 'LINEAR_EXACT') return (value) => (value - center) / width + 0.5;
  return (value) => (width <= 1 ? Number(value > center - 0.5) : (value - (center - 0.5)) / (width - 1) + 0.5);
}
