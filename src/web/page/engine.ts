import type { EngineFacts } from '../../serve/engine/engine.js';
import type { OpenedImage, SentMaskAnswer, SentSegment } from '../../serve/engine/jobs.js';

/** Asked of the masker. */
export interface MaskQuestion {
  readonly bbox?: readonly [number, number, number, number];
  readonly points?: readonly (readonly [number, number])[];
  readonly labels?: readonly (0 | 1)[];
}

/** How far an engine has come that gets ready. */
export interface Step {
  readonly what: string;
  /** In [0, 1], where that can be told. */
  readonly done?: number | undefined;
}

/** What computes for the page: the server that sent it (`api.ts`), or the browser itself (`../static`). */
export interface PageEngine {
  /** Gets ready. */
  start(say: (step: Step) => void): Promise<Pick<EngineFacts, 'backend' | 'detector' | 'masker' | 'adapter' | 'points'>>;
  /** Reads a file; the picture that is read of it is remembered. */
  openImage(file: File, picture: string | undefined, signal: AbortSignal): Promise<OpenedImage>;
  pictureOf(image: OpenedImage, signal: AbortSignal): Promise<ImageBitmap>;
  /** Everything from a score of {@link FLOOR} on. */
  segment(image: OpenedImage, prompt: string, signal: AbortSignal): Promise<readonly SentSegment[]>;
  maskFor(image: OpenedImage, question: MaskQuestion, signal: AbortSignal): Promise<SentMaskAnswer['masks'][number] | undefined>;
}

/** The lowest score that is asked for: everything above can be shown and hidden without another request. */
export const FLOOR = 0.05;
