import type { BoxXyxy, CocoRle } from '../../imaging/index.js';
import type { Selection } from '../../infer/index.js';

/** A picture that is sent, or one that was sent before. */
export type ImageSource =
  | {
      readonly bytes: Uint8Array;
      /** The file's name; only its ending is looked at. */
      readonly name: string;
      /** Which picture of a file of several; what stands after `#` in a name. */
      readonly picture: string | undefined;
    }
  | { readonly id: string };

/** A picture as the server knows it. */
export interface OpenedImage {
  /** Stands for the picture in later requests, as long as it is remembered. */
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly spacing_mm: readonly [across: number, down: number] | null;
  readonly pictures: {
    readonly kind: 'picture' | 'frames' | 'pages' | 'planes';
    /** How many there are in the file. */
    readonly count: number;
    /** How many of them make a volume, where a file holds several; else all. */
    readonly per_frame: number;
    /** Which one this is. */
    readonly address: string;
  };
}

export const maskFormats = ['rle', 'png', 'none'] as const;

/** A mask as COCO's compressed runs, as a PNG in base64, or left out. */
export type MaskFormat = (typeof maskFormats)[number];

export interface SegmentJob {
  readonly kind: 'segment';
  readonly image: ImageSource;
  readonly prompts: readonly string[];
  readonly scoreThreshold: number;
  readonly nmsThreshold: number;
  readonly select: Selection;
  readonly maxDetections: number;
  /** Boxes that somebody drew or corrected: they get masks as well. */
  readonly boxes: readonly { readonly phrase: string; readonly boxXyxyPx: BoxXyxy }[];
  readonly maskFormat: MaskFormat;
}

/** A box, points with labels (1 inside, 0 outside), or both. */
export interface MaskPrompt {
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

/** Reads a picture and keeps it. */
interface OpenJob {
  readonly kind: 'open';
  readonly image: ImageSource;
}

/** The PNG of a picture that is kept. */
interface PreviewJob {
  readonly kind: 'preview';
  readonly id: string;
}

export type Job = OpenJob | PreviewJob | SegmentJob | MasksJob;

/** A mask as it is sent. */
export type SentMask = CocoRle | string;

export interface SentSegment {
  readonly phrase: string;
  /** The detector's confidence; null for a box that was given. */
  readonly score: number | null;
  /** Left, top, width, height in pixels. */
  readonly bbox: readonly [number, number, number, number];
  /** Pixels of the mask, or of the box where there is no mask. */
  readonly area: number;
  /** The masker's estimate of the mask's IoU; null without a masker. */
  readonly mask_score: number | null;
  readonly mask: SentMask | null;
}

export interface SentMaskAnswer {
  readonly masks: readonly {
    readonly bbox: readonly [number, number, number, number] | null;
    readonly area: number;
    readonly mask_score: number;
    readonly mask: SentMask | null;
  }[];
}

/** What each kind of job answers. */
export interface Answers {
  readonly open: OpenedImage;
  readonly preview: Uint8Array;
  readonly segment: { readonly image: OpenedImage; readonly segments: readonly SentSegment[] };
  readonly masks: { readonly image: OpenedImage; readonly answers: readonly SentMaskAnswer[] };
}

export type AnswerOf<J extends Job> = Answers[J['kind']];
