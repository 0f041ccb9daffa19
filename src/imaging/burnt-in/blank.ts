import type { BinaryMask } from '../mask.js';
import type { TextBox } from './find-text.js';

/** Pixels to keep: those of the scan region that no text box covers. */
export function keptPixels(region: BinaryMask, boxes: readonly TextBox[]): BinaryMask {
  const { width, height } = region;
  const data = Uint8Array.from(region.data);
  for (const { x0, y0, x1, y1 } of boxes) for (let y = y0; y <= y1; y++) data.fill(0, y * width + x0, y * width + x1 + 1);
  return { width, height, data };
}

/**
 * Replaces the pixels outside of a mask, in place.
 *
 * @param values - interleaved samples.
 * @param black - the value of black.
 */
export function blankOutside(values: Uint8Array | Int32Array, kept: BinaryMask, samples: 1 | 3, black: number): void {
  for (const [i, keep] of kept.data.entries()) if (keep === 0) values.fill(black, i * samples, (i + 1) * samples);
}
