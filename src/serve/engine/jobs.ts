import type { BoxXyxy, CocoRle, SpacingMm } from '../../imaging/index.js';
import type { MeasuresFields, MeasuresRecord } from '../../measure/index.js';
import type { Selection } from '../../processing/index.js';
import type { ClipAnswers, ClipJob } from './clips/index.js';
import type { LabelsAnswer, LabelsJob } from './label-maps.js';

/** An uploaded image, or one uploaded before. */
export type ImageSource =
  | {
      readonly bytes: Uint8Array;
      /** The file name; only its extension is used. */
      readonly name: string;
      /** Selects one of several images in a file, as after `#` in a name. */
      readonly frame: string | undefined;
      /** Size of its pixels, where the file does not state it. */
      readonly mmPerPixel?: SpacingMm | undefined;
    }
  | { readonly id: string };

/** An image held by the server. */
export interface OpenedImage {
  /** Identifies the image in later requests, while it is cached. */
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly spacing_mm: readonly [across: number, down: number] | null;
  readonly frames: {
    readonly kind: 'image' | 'frames' | 'pages' | 'slices';
    /** Number of images in the file. */
    readonly count: number;
    /** Number of slices per volume, in a file of several volumes; otherwise the total. */
    readonly per_frame: number;
    /** Address of this image. */
    readonly address: string;
  };
}

export const maskFormats = ['rle', 'png', 'none'] as const;

/** Mask format: COCO's compressed RLE, a base64 PNG, or none. */
export type MaskFormat = (typeof maskFormats)[number];

export interface SegmentJob {
  readonly kind: 'segment';
  readonly image: ImageSource;
  readonly prompts: readonly string[];
  readonly threshold: number;
  readonly nmsThreshold: number;
  readonly select: Selection;
  readonly maxDetections: number;
  /** Boxes drawn or corrected by the user, which get masks too. */
  readonly boxes: readonly { readonly phrase: string; readonly boxXyxyPx: BoxXyxy }[];
  readonly maskFormat: MaskFormat;
}

/** A box, points with labels (1 inside, 0 outside), or both. */
interface MaskPrompt {
  readonly boxXyxyPx: BoxXyxy | undefined;
  readonly points: readonly (readonly [number, number])[];
  readonly labels: readonly number[];
}

export interface MasksJob {
  readonly kind: 'masks';
  readonly image: ImageSource;
  readonly prompts: readonly MaskPrompt[];
  readonly multimask: boolean;
  readonly maskFormat: MaskFormat;
}

/** The mask of an exemplar, on the grid of its image. */
export type ExemplarMaskSource =
  | { readonly rle: CocoRle }
  /** A mask file. */
  | { readonly bytes: Uint8Array }
  /** Each a list x0, y0, x1, y1, … in pixels; what lies inside any of them belongs to the structure. */
  | { readonly polygons: readonly (readonly number[])[] };

/** An image with the mask of what to find in another. */
export interface ExemplarSource {
  readonly image: ImageSource;
  readonly mask: ExemplarMaskSource;
}

export interface ExemplarsJob {
  readonly kind: 'exemplars';
  readonly image: ImageSource;
  readonly exemplars: readonly ExemplarSource[];
  /** The name of what they show. */
  readonly label: string;
  readonly maskFormat: MaskFormat;
}

/** Measures masks of an image. */
export interface MeasureJob {
  readonly kind: 'measure';
  readonly image: ImageSource;
  /** Size of its pixels, where the file does not state it. */
  readonly mmPerPixel: SpacingMm | undefined;
  readonly masks: readonly CocoRle[];
}

/** Reads a DICOM segmentation of an image or a clip that is kept. */
export interface SegmentationJob {
  readonly kind: 'segmentation';
  readonly bytes: Uint8Array;
  /** The file name, for errors. */
  readonly name: string;
  /** Ids. */
  readonly of: { readonly image: string } | { readonly clip: string };
}

/** Decodes an image and caches it. */
interface OpenJob {
  readonly kind: 'open';
  readonly image: ImageSource;
}

/** Requests the PNG of a cached image. */
interface PreviewJob {
  readonly kind: 'preview';
  readonly id: string;
}

export type Job =
  | OpenJob
  | PreviewJob
  | SegmentJob
  | SegmentationJob
  | MasksJob
  | ExemplarsJob
  | LabelsJob
  | MeasureJob
  | ClipJob;

/** A mask as sent to the client. */
export type SentMask = CocoRle | string;

export interface SentSegment {
  readonly phrase: string;
  /** The detector's confidence; null for a user-provided box. */
  readonly score: number | null;
  /** Left, top, width, height in pixels. */
  readonly bbox: readonly [number, number, number, number];
  /** Area in pixels of the mask, or of the box without a mask. */
  readonly area: number;
  /** The masker's estimate of the mask's IoU; null without a masker. */
  readonly mask_score: number | null;
  /** Null without a mask or a scale. */
  readonly measures: MeasuresRecord | null;
  /** Why there are no measures. */
  readonly unmeasured?: string;
  readonly mask: SentMask | null;
}

/** A segment of a DICOM segmentation on a frame. `phrase` is its name; it has no scores. */
export interface ReadSegment extends SentSegment {
  /** From 0. */
  readonly frame: number;
  /** Its number in the file: the same on all frames. */
  readonly segment: number;
}

export interface SentMaskAnswer {
  readonly masks: readonly {
    readonly bbox: readonly [number, number, number, number] | null;
    readonly area: number;
    readonly mask_score: number;
    readonly measures: MeasuresRecord | null;
    readonly unmeasured?: string;
    readonly mask: SentMask | null;
  }[];
}

/** Result type of each kind of job. */
export interface Answers extends ClipAnswers {
  readonly open: OpenedImage;
  readonly preview: Uint8Array;
  readonly segment: { readonly image: OpenedImage; readonly segments: readonly SentSegment[] };
  /** One segment, or none where nothing looks like the exemplars. */
  readonly exemplars: Answers['segment'];
  readonly masks: { readonly image: OpenedImage; readonly answers: readonly SentMaskAnswer[] };
  readonly segmentation: readonly ReadSegment[];
  readonly labels: LabelsAnswer;
  /** One for each mask. */
  readonly measure: readonly MeasuresFields[];
}

export type AnswerOf<J extends Job> = Answers[J['kind']];
