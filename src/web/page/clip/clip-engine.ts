import type { Direction } from '../../../infer/index.js';
import type { ClipChange, OpenedClipRecord, SentFrame } from '../../../serve/engine/clips/clip-jobs.js';
import type { Rle } from '../layers.js';

/** What to look for on a frame. */
export interface FindQuestion {
  readonly frame: number;
  readonly prompt: string;
  readonly threshold: number;
  readonly select: 'all' | 'best-per-phrase' | 'best-per-image';
}

/** A mark on a frame; it corrects the object named by `track`, or makes a new one. */
export interface Mark {
  readonly frame: number;
  readonly track?: number;
  readonly phrase?: string;
  readonly bbox?: readonly [number, number, number, number];
  readonly points?: readonly (readonly [number, number])[];
  readonly labels?: readonly (0 | 1)[];
  readonly mask?: Rle;
}

/** A propagation: first how many frames are to come, then frame by frame. */
export type PropagationPart =
  | { readonly kind: 'begun'; readonly frames: number; readonly undo: number }
  | { readonly kind: 'frame'; readonly frame: SentFrame };

/** Clips by the engine behind the page. */
export interface ClipEngine {
  open(file: File, signal: AbortSignal): Promise<OpenedClipRecord>;
  frame(clip: OpenedClipRecord, index: number, signal: AbortSignal): Promise<ImageBitmap>;
  find(clip: OpenedClipRecord, question: FindQuestion, signal: AbortSignal): Promise<ClipChange>;
  mark(clip: OpenedClipRecord, mark: Mark, signal: AbortSignal): Promise<ClipChange>;
  remove(clip: OpenedClipRecord, track: number, signal: AbortSignal): Promise<{ readonly undo: number }>;
  undo(clip: OpenedClipRecord, signal: AbortSignal): Promise<{ readonly undo: number }>;
  /** Carries all objects on, until the signal is aborted; throws what went wrong after the frames before it. */
  propagate(clip: OpenedClipRecord, from: number, direction: Direction, signal: AbortSignal): AsyncIterable<PropagationPart>;
  /** Frees the clip. Does not wait, and does not fail. */
  close(clip: OpenedClipRecord): void;
}
