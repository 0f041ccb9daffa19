import type { CocoRle } from '../../imaging/rle.js';
import type { MeasuresFields } from '../../measure/record.js';
import type { EngineFacts } from '../../serve/engine/engine.js';
import type { OpenedImage, ReadSegment, SentMaskAnswer, SentSegment } from '../../serve/engine/jobs.js';
import type { ClipEngine } from './clip/clip-engine.js';

/** A prompt for the masker. */
export interface MaskQuestion {
  readonly bbox?: readonly [number, number, number, number];
  readonly points?: readonly (readonly [number, number])[];
  readonly labels?: readonly (0 | 1)[];
}

/** An image with the mask of what to find in others. */
export interface Exemplar {
  readonly opened: OpenedImage;
  /** Run lengths, or a mask file in base64. */
  readonly mask: { readonly size: readonly [height: number, width: number]; readonly counts: string } | string;
}

/** What a segmentation is of, by its id. */
export type SegmentedIn = { readonly image: string } | { readonly clip: string };

/** Progress of an engine's start. */
export interface Step {
  readonly what: string;
  /** In [0, 1], if known. */
  readonly done?: number | undefined;
}

/** The engine behind the page: the server (`api.ts`), or the browser itself (`../worker`). */
export interface PageEngine {
  /** Starts the engine. */
  start(
    say: (step: Step) => void,
  ): Promise<Pick<EngineFacts, 'backend' | 'detector' | 'masker' | 'adapter' | 'points' | 'exemplars' | 'clips'>>;
  /** Decodes a file; the decoded image is cached. */
  openImage(file: File, frame: string | undefined, signal: AbortSignal): Promise<OpenedImage>;
  loadImage(image: OpenedImage, signal: AbortSignal): Promise<ImageBitmap>;
  /** Detects and segments everything with a score of at least {@link FLOOR}. */
  segment(image: OpenedImage, prompt: string, signal: AbortSignal): Promise<readonly SentSegment[]>;
  maskFor(image: OpenedImage, question: MaskQuestion, signal: AbortSignal): Promise<SentMaskAnswer['masks'][number] | undefined>;
  /**
   * Measures masks.
   *
   * @param mmPerPixel - size of a pixel, where the file does not state it.
   */
  measure(
    image: OpenedImage,
    masks: readonly CocoRle[],
    mmPerPixel: readonly [number, number] | undefined,
    signal: AbortSignal,
  ): Promise<readonly MeasuresFields[]>;
  /** Reads a DICOM segmentation of an open image or clip: its segments frame by frame. */
  readSegmentation(file: File, of: SegmentedIn, signal: AbortSignal): Promise<readonly ReadSegment[]>;
  /** Segments what looks like the exemplars. Absent: the engine cannot. */
  segmentAlike?(image: OpenedImage, exemplars: readonly Exemplar[], signal: AbortSignal): Promise<readonly SentSegment[]>;
  /** Follows objects through clips. */
  readonly clips: ClipEngine;
}

/** The lowest score requested: everything above can be shown and hidden without another request. */
export const FLOOR = 0.05;
