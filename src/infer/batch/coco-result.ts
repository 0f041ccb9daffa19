import { type CocoRle, maskArea, maskToRle } from '../../imaging/index.js';
import type { BoxSegment, Segment } from '../segmenter.js';

/** One entry of COCO's results format, with what text prompts add to it. */
export interface CocoResult {
  /** The image's place below the folder that was asked for, without its ending: also the name of its overlay and masks. */
  readonly image_id: string;
  /** The same with its ending. */
  readonly file_name: string;
  /** The phrase that was found. */
  readonly category: string;
  /** From 1, in the order of the prompts. */
  readonly category_id: number;
  /** Left, top, width, height in pixels. */
  readonly bbox: readonly [number, number, number, number];
  readonly score: number;
  /** The masker's estimate of the mask's IoU. Absent without a masker, as is the mask. */
  readonly mask_score?: number;
  /** Pixels of the mask, or of the box where there is no mask. */
  readonly area: number;
  readonly segmentation?: CocoRle;
}

/** Writes down one thing that was found. */
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
