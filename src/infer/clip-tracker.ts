import type { BinaryMask, BoxXyxy, Clip } from '../imaging/index.js';
import type { PointXy } from './mask-prompts.js';

/** What marks an object on one frame: a box, points with labels (1 inside, 0 outside), or a mask. A later prompt on the same frame and object corrects it. */
export interface TrackPrompt {
  /** Frame number, from 0. */
  readonly frame: number;
  /** Any integer chosen by the caller; names the object in all answers. */
  readonly object: number;
  /** Left, top, right, bottom in pixels of the clip. */
  readonly box?: BoxXyxy | undefined;
  readonly points?: readonly PointXy[] | undefined;
  readonly labels?: readonly number[] | undefined;
  /** At the clip's size. */
  readonly mask?: BinaryMask | undefined;
}

/** One object on one frame. */
export interface TrackedObject {
  readonly object: number;
  /** At the clip's size; empty where the object is not visible. */
  readonly mask: BinaryMask;
  /** IoU predicted by the mask decoder, 0 to 1. */
  readonly score: number;
  /** Probability, 0 to 1, that the object is visible on this frame. */
  readonly objectScore: number;
}

/** The objects on one frame. */
export interface TrackedFrame {
  readonly frame: number;
  readonly objects: readonly TrackedObject[];
}

/** What a tracker knew at one time, to go back to. Whoever has it frees it, unless it was restored. */
export interface TrackerState {
  /** Frees the state. */
  dispose(): void;
}

/** Follows objects through a clip. */
export interface ClipTracker {
  /** Marks or corrects an object; returns the masks of all objects prompted on that frame. */
  prompt(prompt: TrackPrompt): Promise<TrackedFrame>;
  /** Forgets an object, its prompts and its memory. */
  remove(object: number): void;
  /** Carries all objects on, frame by frame, from `from` (default: the earliest prompted frame, or the latest backwards) to the end (or start) of the clip, at most `frames` frames. */
  propagate(options?: {
    readonly from?: number | undefined;
    readonly direction?: 'forward' | 'backward' | undefined;
    readonly frames?: number | undefined;
    readonly signal?: AbortSignal | undefined;
  }): AsyncIterable<TrackedFrame>;
  /** Keeps what is known now, sharing what it can with the tracker. */
  save(): Promise<TrackerState>;
  /** Goes back to what was known; the state is thereby used up. */
  restore(state: TrackerState): Promise<void>;
  /** Frees everything kept of the clip. */
  dispose(): void;
}

/** Opens trackers; `Sam2VideoPredictor` is one. */
export interface ClipTracking {
  /** Opens a tracker, without objects yet. */
  track(clip: Clip): Promise<ClipTracker>;
}
