import { type CocoRle, maskArea, maskToRle } from '../../imaging/index.js';
import type { MeasuresFields, MeasuresRecord } from '../../measure/index.js';
import type { BoxSegment, Segment } from '../segmenter.js';

/** One entry of COCO's results format, extended by the fields that text prompts need. */
export interface CocoResult {
  /** The image's `id` in `images.json`. */
  readonly image_id: number;
  /** Path of the image below the input folder. */
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
  /** Measures of the mask in millimetres; null where nothing calibrates it. */
  readonly measures: MeasuresRecord | null;
  /** Why there are no measures. */
  readonly unmeasured?: string;
}

/** The same before the images are numbered. */
export type FoundInImage = Omit<CocoResult, 'image_id'>;

/** What `images.json` holds: a dataset in COCO's format, without annotations, that `results.json` refers to. */
export interface CocoImages {
  /** pycocotools wants one. */
  readonly info: { readonly description: string };
  readonly images: readonly CocoImage[];
  readonly categories: readonly { readonly id: number; readonly name: string }[];
  readonly annotations: readonly never[];
}

interface CocoImage {
  /** From 1, in the order of the names. */
  readonly id: number;
  /** The image's place below the folder that was asked for. */
  readonly file_name: string;
  /** What its overlay and masks are called: `overlays/NAME.png`, `masks/NAME_0.png`. */
  readonly name: string;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
}

/** Converts one segment to a COCO result. */
export function foundInImage(
  { phrase, score, boxXyxyPx: [x0, y0, x1, y1], mask, maskScore }: Segment | BoxSegment,
  { fileName }: { readonly fileName: string },
  phrases: readonly string[],
  measures: MeasuresFields,
): FoundInImage {
  return {
    file_name: fileName,
    category: phrase,
    category_id: phrases.indexOf(phrase) + 1,
    bbox: [x0, y0, x1 - x0, y1 - y0],
    score,
    ...(maskScore === undefined ? {} : { mask_score: maskScore }),
    area: mask === undefined ? (x1 - x0) * (y1 - y0) : maskArea(mask),
    ...(mask === undefined ? {} : { segmentation: maskToRle(mask) }),
    ...measures,
  };
}
