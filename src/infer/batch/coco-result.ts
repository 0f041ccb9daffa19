import { type CocoRle, maskArea, maskToRle } from '../../imaging/index.js';
import type { BoxSegment, Segment } from '../segmenter.js';

/** One entry of COCO's results format, extended by the fields that text prompts need. */
export interface CocoResult {
  /** Path of the image below the input folder, without its extension; also names its overlay and masks. */
  readonly image_id: string;
  /** The same path with its extension. */
  readonly file_name: string;
  /** The detected phrase. */
  readonly category: string;
  /** From 1, in the order of the prompts. */
  readonly category_id: number;
  /** Left, top, width, height in pixels. */
  readonly bbox: readonly [number, number, number, number];
  readonly score: number;
  /** The masker's IoU estimate. Absent without a masker, like the mask. */
  readonly mask_score?: number;
  /** Area of the mask in pixels, or of the box where there is no mask. */
  readonly area: number;
  readonly segmentation?: CocoRle;
}

/** Converts one segment to a COCO result. */
export function cocoResult(
  { phrase, score, boxXyxyPx: [x0, y0, x1, y1], mask, maskScore }: Segment | BoxSegment,
  image: { readonly id: string; readonly fileName: string },
  phrases: readonly string[],
): CocoResult {
  return {
    image_id: image.id,
    file_name: image.fileName,
    category: phrase,
    category_id: phrases.indexOf(phrase) + 1,
    bbox: [x0, y0, x1 - x0, y1 - y0],
    score,
    ...(maskScore === undefined ? {} : { mask_score: maskScore }),
    area: mask === undefined ? (x1 - x0) * (y1 - y0) : maskArea(mask),
    ...(mask === undefined ? {} : { segmentation: maskToRle(mask) }),
  };
}
