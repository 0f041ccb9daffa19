import type { BinaryMask, Size } from './mask.js';

/** Mask logits, row-major: above 0 is inside. */
export interface MaskLogits extends Size {
  readonly data: Float32Array;
}

/** For each target cell, the contributing source cells and their weights. */
type Taps = readonly (readonly (readonly [source: number, share: number])[])[];

/** Bilinear interpolation with half-pixel centres along one axis (torch's `align_corners=False`, no antialiasing). */
function bilinearTaps(sourceSize: number, targetSize: number): Taps {
  return Array.from({ length: targetSize }, (_, target) => {
    const position = Math.max(0, ((target + 0.5) * sourceSize) / targetSize - 0.5);
    const low = Math.min(Math.floor(position), sourceSize - 1);
    const high = Math.min(low + 1, sourceSize - 1);
    const share = position - low;
    return high === low || share === 0 ? [[low, 1] as const] : ([[low, 1 - share] as const, [high, share] as const] as const);
  });
}

/** Composition of two interpolations. */
function chainTaps(first: Taps, second: Taps): Taps {
  return second.map((taps) => {
    const shares = new Map<number, number>();
    for (const [middle, outer] of taps)
      for (const [source, inner] of first[middle] as Taps[number]) shares.set(source, (shares.get(source) ?? 0) + outer * inner);
    return [...shares];
  });
}

/** Interpolates along both axes and thresholds at 0. */
function thresholdLogits({ data, width }: MaskLogits, rows: Taps, columns: Taps): BinaryMask {
  const out = new Uint8Array(rows.length * columns.length);
  const line = new Float64Array(width);
  const { firsts, sources, shares } = flatten(columns);
  for (const [y, taps] of rows.entries()) {
    line.fill(0);
    for (const [source, share] of taps)
      for (let x = 0, at = source * width; x < width; x++, at++) line[x] = (line[x] as number) + share * (data[at] as number);
    for (let x = 0, to = y * columns.length; x < columns.length; x++, to++) {
      let sum = 0;
      for (let k = firsts[x] as number; k < (firsts[x + 1] as number); k++)
        sum += (shares[k] as number) * (line[sources[k] as number] as number);
      out[to] = sum > 0 ? 1 : 0;
    }
  }
  return { width: columns.length, height: rows.length, data: out };
}

/** Flattens taps into typed arrays: those of target `x` are at `firsts[x]` up to, but excluding, `firsts[x + 1]`. */
function flatten(taps: Taps) {
  const all = taps.flat();
  const firsts = new Int32Array(taps.length + 1);
  for (const [x, own] of taps.entries()) firsts[x + 1] = (firsts[x] as number) + own.length;
  return {
    firsts,
    sources: Int32Array.from(all, ([source]) => source),
    shares: Float64Array.from(all, ([, share]) => share),
  };
}

/**
 * Resamples mask logits to the image's grid (bilinear, half-pixel centres) and thresholds at 0.
 *
 * @see transformers, `Sam2ImageProcessor.post_process_masks`
 */
export function maskLogitsToBinary(logits: MaskLogits, image: Size): BinaryMask {
  return thresholdLogits(logits, bilinearTaps(logits.height, image.height), bilinearTaps(logits.width, image.width));
}

/**
 * {@link maskLogitsToBinary} for an image that was padded on the right and bottom to a square: logits are resampled to the
 * square, the padding is cropped, and the rest is resampled to the image's grid.
 *
 * @param square - side of the padded image, in model pixels.
 * @param placed - size of the image within the square.
 * @see transformers, `SamImageProcessor.post_process_masks`
 */
export function paddedMaskLogitsToBinary(logits: MaskLogits, square: number, placed: Size, image: Size): BinaryMask {
  const along = (source: number, part: number, target: number) =>
    chainTaps(bilinearTaps(source, square).slice(0, part), bilinearTaps(part, target));
  return thresholdLogits(
    logits,
    along(logits.height, placed.height, image.height),
    along(logits.width, placed.width, image.width),
  );
}
