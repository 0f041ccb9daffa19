import type { BoxXyxy, CocoRle, SpacingMm } from '../../../imaging/index.js';
import type { Course, Direction, TrackingKind } from '../../../infer/index.js';
import type { MeasuresRecord } from '../../../measure/index.js';
import type { Selection } from '../../../processing/index.js';

/** A clip held by the server. */
export interface OpenedClipRecord {
  /** Identifies the clip in later requests, while it is kept. */
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  /** Time between two frames, where the file has it. */
  readonly frame_seconds: number | null;
  readonly spacing_mm: readonly [across: number, down: number] | null;
  /** Whether the masker remembers objects, or they are looked for on each frame. */
  readonly tracking: TrackingKind;
  /** Remarks on the file. */
  readonly notices: readonly string[];
}

/** An object on a frame. */
export interface SentTrack {
  readonly track: number;
  readonly phrase: string;
  /** The detector's confidence where it last found it; null for an object that was drawn. */
  readonly score: number | null;
  /** Probability that the frame shows it. */
  readonly object_score: number;
  /** The masker's estimate of the mask's IoU. */
  readonly mask_score: number;
  /** Whether it was marked on this frame. */
  readonly marked: boolean;
  /** Left, top, width, height in pixels; null where the frame does not show it. */
  readonly bbox: readonly [number, number, number, number] | null;
  /** Pixels of the mask. */
  readonly area: number;
  readonly measures: MeasuresRecord | null;
  readonly unmeasured?: string;
  /** Null where the frame does not show it. */
  readonly mask: CocoRle | null;
}

/** What is new on a frame. */
export interface SentFrame {
  readonly frame: number;
  readonly tracks: readonly SentTrack[];
}

/** The answer to a change. */
export interface ClipChange extends SentFrame {
  /** How many changes can be undone. */
  readonly undo: number;
}

interface OpenClipJob {
  readonly kind: 'clip-open';
  readonly bytes: Uint8Array;
  /** The file name; only its extension is used. */
  readonly name: string;
  readonly mmPerPixel: SpacingMm | undefined;
}

interface ClipFrameJob {
  readonly kind: 'clip-frame';
  readonly id: string;
  readonly frame: number;
}

export interface FindJob {
  readonly kind: 'clip-find';
  readonly id: string;
  readonly frame: number;
  readonly prompt: string;
  readonly threshold: number;
  readonly nmsThreshold: number;
  readonly select: Selection;
  readonly maxDetections: number;
}

export interface MarkJob {
  readonly kind: 'clip-mark';
  readonly id: string;
  readonly frame: number;
  /** A new object if undefined. */
  readonly track: number | undefined;
  readonly phrase: string;
  readonly boxXyxyPx: BoxXyxy | undefined;
  readonly points: readonly (readonly [number, number])[];
  readonly labels: readonly number[];
  readonly mask: CocoRle | undefined;
}

interface RemoveJob {
  readonly kind: 'clip-remove';
  readonly id: string;
  readonly track: number;
}

/** Begins to carry objects on; the frames are jobs of their own. */
interface BeginJob extends Course {
  readonly kind: 'clip-begin';
  readonly id: string;
}

interface StepJob {
  readonly kind: 'clip-step';
  readonly id: string;
  readonly frame: number;
  readonly direction: Direction;
}

interface UndoJob {
  readonly kind: 'clip-undo';
  readonly id: string;
}

interface CloseJob {
  readonly kind: 'clip-close';
  readonly id: string;
}

export type ClipJob = OpenClipJob | ClipFrameJob | FindJob | MarkJob | RemoveJob | BeginJob | StepJob | UndoJob | CloseJob;

/** Result type of each kind of job. */
export interface ClipAnswers {
  readonly 'clip-open': OpenedClipRecord;
  readonly 'clip-frame': Uint8Array;
  readonly 'clip-find': ClipChange;
  readonly 'clip-mark': ClipChange;
  readonly 'clip-remove': { readonly undo: number };
  readonly 'clip-begin': { readonly frames: readonly number[]; readonly undo: number };
  readonly 'clip-step': SentFrame;
  readonly 'clip-undo': { readonly undo: number };
  readonly 'clip-close': Record<string, never>;
}
