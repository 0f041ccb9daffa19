import type { BinaryMask, BoxXyxy, Clip } from '../../../imaging/index.js';
import type { TrackPrompt } from '../../clip-tracker.js';
import type { SegmentOptions } from '../../segment-options.js';
import type { TrackingKind } from '../clip-segment.js';

/** One object on one frame of a clip that somebody works on. */
export interface SessionSegment {
  /** The same for an object in all frames, from 1. */
  readonly track: number;
  /** What it was found or drawn as. */
  readonly phrase: string;
  /** The detector's confidence where it last found it, in [0, 1]; null for an object that was drawn. */
  readonly score: number | null;
  /** The masker's IoU estimate. */
  readonly maskScore: number;
  /** Probability that the frame shows the object, in [0, 1]; without a memory, the detector's confidence on this frame. */
  readonly objectScore: number;
  /** Whether somebody marked it on this very frame, or the detector found it here for the tracker. */
  readonly marked: boolean;
  /** Around the mask; undefined where the frame does not show it. */
  readonly boxXyxyPx: BoxXyxy | undefined;
  /** On the clip's own grid; empty where the frame does not show it. */
  readonly mask: BinaryMask;
}

/** What is new on a frame. */
export interface SessionFrame {
  readonly frame: number;
  readonly segments: readonly SessionSegment[];
}

/** A mark on a frame. */
export interface SessionMark extends Omit<TrackPrompt, 'object'> {
  /** The object that it corrects; a new one if undefined. */
  readonly track?: number | undefined;
  /** The name of a new object. */
  readonly phrase: string;
}

export type Direction = 'forward' | 'backward';

/** Which frames are visited. */
export interface Course {
  readonly from: number;
  readonly direction: Direction;
  /** Most frames. Default: to the end, or the start, of the clip. */
  readonly frames?: number | undefined;
}

/** All that a session knew at one time. */
export interface SessionState {
  dispose(): void;
}

/**
 * Interactive work on a clip: look for phrases on a frame, mark or correct an object on any, carry all on frame by frame, in any
 * order and as often as wanted. Calls must not overlap.
 */
export interface ClipSession {
  readonly tracking: TrackingKind;
  readonly clip: Clip;
  /**
   * Looks for phrases on a frame. What is followed and in sight already is left as it is; what was lost keeps its identity.
   *
   * @returns new objects, and those that were found again.
   */
  find(frame: number, phrases: readonly string[], options?: SegmentOptions): Promise<SessionFrame>;
  /** Marks or corrects an object. Points and box take the place of earlier ones on this frame; the mask that they gave is refined. */
  mark(mark: SessionMark): Promise<SessionFrame>;
  /**
   * The frames that {@link step} is to visit.
   *
   * @throws UsageError when there is nothing to carry on, or no such frame.
   */
  plan(course: Course): readonly number[];
  /** Carries all objects on to a frame from the one before it (after it, backwards). */
  step(frame: number, direction: Direction): Promise<SessionFrame>;
  /** @throws UsageError when there is no such object. */
  remove(track: number): void;
  save(): Promise<SessionState>;
  /** Goes back; the state is thereby used up. */
  restore(state: SessionState): Promise<void>;
  /** Frees what is kept of the clip, but neither models nor the clip itself. */
  dispose(): void;
}

/** Probability from which a frame shows an object. */
export const SEEN = 0.5;

/** Most objects in a session, unless it is told otherwise. */
export const MOST_OBJECTS = 32;
