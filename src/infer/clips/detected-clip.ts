import { boxOfMask, type Clip } from '../../imaging/index.js';
import { UsageError } from '../../util/index.js';
import type { Segment, Segmenter } from '../segmenter.js';
import type { ClipFrame, ClipOptions, ClipSegment, ClipSegmenter } from './clip-segment.js';
import { assignTracks, emptyMask, type Track } from './tracks.js';

/**
 * Tracking by detection, for maskers without a memory: each frame is segmented on its own, and an object keeps its identity by the
 * overlap of its boxes from frame to frame. What was not found for a while is the same object if it comes back near the place where
 * it was last seen. Owns its segmenter.
 */
export class DetectionTracker implements ClipSegmenter, Disposable {
  readonly tracking = 'detection';
  private readonly segmenter: Pick<Segmenter, 'segment' | 'dispose'>;

  constructor(segmenter: Pick<Segmenter, 'segment' | 'dispose'>) {
    this.segmenter = segmenter;
  }

  async *segment(clip: Clip, phrases: readonly string[], options: ClipOptions = {}): AsyncGenerator<ClipFrame> {
    const { every, signal, ...selection } = options;
    checkEvery(every);
    const tracks: Track[] = [];
    for (let frame = 0; frame < clip.frames; frame++) {
      if (signal?.aborted) return;
      const image = await clip.frame(frame);
      const found = await this.segmenter.segment(image, phrases, selection);
      const now = new Map<Track, Segment>();
      for (const { detection, track } of assignTracks(found, tracks)) {
        const { phrase, score, boxXyxyPx: box } = detection;
        const own = track ?? { id: tracks.length + 1, phrase, score, box, visible: true };
        if (track === undefined) tracks.push(own);
        now.set(own, detection as Segment);
      }
      yield { frame, segments: tracks.map((track) => segmentOf(track, now.get(track), clip)) };
    }
  }

  /** Frees the models. */
  dispose(): void {
    this.segmenter.dispose();
  }

  /** Frees the models; for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Brings a track up to date with what was found on a frame. */
function segmentOf(track: Track, found: Segment | undefined, clip: Clip): ClipSegment {
  const box = found && boxOfMask(found.mask);
  track.visible = box !== undefined;
  if (found !== undefined && box !== undefined) {
    track.score = found.score;
    track.box = found.boxXyxyPx;
  }
  return {
    track: track.id,
    phrase: track.phrase,
    visible: track.visible,
    score: track.score,
    maskScore: found?.maskScore ?? 0,
    // The detector's confidence is all that says whether it is there.
    objectScore: found?.score ?? 0,
    detected: found !== undefined,
    boxXyxyPx: box,
    mask: found?.mask ?? emptyMask(clip),
  };
}

/** @throws UsageError for anything but a positive number of frames. */
export function checkEvery(every: number | undefined): void {
  if (every === undefined || (Number.isInteger(every) && every > 0)) return;
  throw new UsageError({
    code: 'E_OPTION_VALUE',
    where: 'every',
    what: `expected a number of frames from 1, got ${every}`,
    fix: 'Leave it out to look again only for what is out of sight',
  });
}
