import type { BinaryMask, BoxXyxy } from '../mask.js';
import type { RasterImage } from '../raster-image.js';
import type { TextBox } from './find-text.js';
import { findTissue, type Tissue } from './find-tissue.js';
import { brightness } from './plane.js';

/** The part of an image that shows a scan: what remains. */
export interface ScanArea {
  readonly mask: BinaryMask;
  /** Stated by the file's header, or found by what moves or by the texture of echoes. */
  readonly source: 'header' | 'motion' | 'texture';
  /** The echoes, where they were found. */
  readonly tissue: Tissue | undefined;
  /** Share of the image in it. */
  readonly share: number;
  /** Whether a person should look whether it is right. */
  readonly uncertain: boolean;
}

/** A header whose regions cover more than this share states nothing: the image has a banner, or is cropped. */
const WHOLE = 0.97;

/** Pixels by which a region may reach beyond the image: some writers count from 1, or to the edge. */
const BEYOND = 4;

/** Outlines with fewer echoes in them are a scatter of marks, or a very dark scan. */
const FILLED = 0.8;

/** A region found in the image and smaller than this is probably not all of the scan. */
const SMALL = 0.12;

/**
 * Finds the scan in an image or in frames of a clip.
 *
 * @param boxes - regions of the file's header, in pixels, last column and row inclusive.
 * @param text - text found in the image.
 * @returns undefined if the header states none and no echoes were found.
 */
export function findScanRegion(
  frames: readonly RasterImage[],
  boxes: readonly BoxXyxy[],
  text: readonly TextBox[],
): ScanArea | undefined {
  const [{ width, height }] = frames as [RasterImage];
  const tissue = findTissue(frames.map(brightness), text);
  // Regions that do not fit were written for another size of the image.
  const fits = boxes.every(([, , x1, y1]) => x1 <= width + BEYOND && y1 <= height + BEYOND);
  const stated = maskOfBoxes(fits ? boxes : [], width, height);
  const share = shareOf(stated);
  if (share > 0 && share < WHOLE) return { mask: stated, source: 'header', tissue, share, uncertain: false };
  if (tissue === undefined) return undefined;
  const found = shareOf(tissue.mask);
  return {
    mask: tissue.mask,
    source: tissue.by,
    tissue,
    share: found,
    uncertain: !fits || tissue.filled < FILLED || found < SMALL,
  };
}

function maskOfBoxes(boxes: readonly BoxXyxy[], width: number, height: number): BinaryMask {
  const data = new Uint8Array(width * height);
  for (const [x0, y0, x1, y1] of boxes)
    for (let y = Math.max(0, y0); y <= Math.min(height - 1, y1); y++)
      if (x0 < width && x1 >= x0) data.fill(1, y * width + Math.max(0, x0), y * width + Math.min(width - 1, x1) + 1);
  return { width, height, data };
}

function shareOf({ data }: BinaryMask): number {
  let sum = 0;
  for (const value of data) sum += value;
  return sum / data.length;
}
