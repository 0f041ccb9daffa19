import type { BinaryMask, BoxXyxy, Clip } from '../../imaging/index.js';
import type { SegmentOptions } from '../segment-options.js';

/** One object of a clip on one frame. */
export interface ClipSegment {
  /** The same for an object in all frames, from 1 in the order in which they were found. */
  readonly track: number;
  /** The phrase as given by the caller. */
  readonly phrase: string;
  /** Whether the frame shows the object. If not, there is no box, and the mask is empty. */
  readonly visible: boolean;
  /** The detector's confidence where it last found the object, in [0, 1]. */
  readonly score: number;
  /** The masker's IoU estimate. */
  readonly maskScore: number;
  /** Probability that the frame shows the object, in [0, 1]. */
  readonly objectScore: number;
  /** Whether the detector found it on this very frame. */
  readonly detected: boolean;
  /** Around the mask; left, top, right, bottom in pixels. */
  readonly boxXyxyPx: BoxXyxy | undefined;
  /** On the clip's own grid. */
  readonly mask: BinaryMask;
}

/** All objects found so far, on one frame. */
export interface ClipFrame {
  readonly frame: number;
  readonly segments: readonly ClipSegment[];
}

/** How objects keep their identity: by a tracker's memory, or by the overlap of masks that were found frame by frame. */
export type TrackingKind = 'memory' | 'detection';

/** Segments what a prompt names in all frames of a clip, and follows it. */
export interface ClipSegmenter {
  readonly tracking: TrackingKind;
  /**
   * Segments the frames in order.
   *
   * @param phrases - the structures to find; a segment carries one of them verbatim.
   */
  segment(clip: Clip, phrases: readonly string[], options?: ClipOptions): AsyncIterable<ClipFrame>;
  /** Frees its models. */
  dispose(): void;
}

/** Which boxes of the detector count, and when it looks. */
export interface ClipOptions extends SegmentOptions {
  /** Look again on every n-th frame. Default: only for what is not in sight. */
  readonly every?: number | undefined;
  /** Stops before the next frame. */
  readonly signal?: AbortSignal | undefined;
}
