import { boxOfMask, type Clip } from '../../imaging/index.js';
import { boxIou } from '../../metrics/index.js';
import { PromptTokenizer } from '../../prompts/index.js';
import { CheckpointError } from '../../util/index.js';
import type { ClipTracker, ClipTracking, TrackedFrame, TrackedObject } from '../clip-tracker.js';
import type { Detector } from '../detector.js';
import type { LoadOptions } from '../grounded-segmenter.js';
import { loadClipModels } from '../load-clip-models.js';
import { checkSegmentOptions, type SegmentOptions } from '../segment-options.js';
import type { ClipFrame, ClipOptions, ClipSegment, ClipSegmenter } from './clip-segment.js';
import { checkEvery } from './detected-clip.js';
import { assignTracks, emptyMask, type Track } from './tracks.js';

/** Models of a {@link TrackedSegmenter}, which owns them. */
export interface TrackedModels {
  readonly detector: Detector;
  /** Freed with the segmenter. */
  readonly tracking: ClipTracking & Partial<Pick<ClipTracker, 'dispose'>>;
}

/**
 * Models to load: those of a segmenter, with a masker that has a memory: a folder of a SAM 2 for video, Meta's `.pt` file, the name of a
 * downloaded model, or that of an export.
 */
export type TrackedLoadOptions = Omit<LoadOptions, 'precision'>;

/** Probability below which a frame does not show an object. */
const SEEN = 0.5;

/** Overlap of two masks' boxes from which they are one object: the younger one is given up. */
const MERGED = 0.85;

/** What is missing or in doubt is looked for on every n-th frame: the detector takes longer than the tracker. */
const SEARCH = 3;

/** An object is sure once the detector has found it on so many frames, and given up after as many on which it has not. */
const SURE = 2;

/**
 * Segments what a prompt names in all frames of a clip: the detector finds it, the tracker carries it on. The detector looks on
 * the first frame, on every n-th one if so asked, and on every third one while a phrase has nothing in sight, an object is lost by
 * its object score, or is in doubt: found once. What it does not find again on two such frames was a false positive and is given
 * up. A detection that overlaps a followed object is that object, and marks it again where the detector is surer than it was before;
 * one near the place where an object was lost is that object, found again; any other is new.
 *
 * @example
 * import { openClip } from 'sonoground/imaging';
 * import { TrackedSegmenter } from 'sonoground/models';
 *
 * const segmenter = await TrackedSegmenter.load({ masker: 'sam2.1-hiera-tiny' });
 * const clip = await openClip('loop.webp');
 * for await (const { frame, segments } of segmenter.segment(clip, 'benign lesion'))
 *   for (const { track, boxXyxyPx, objectScore } of segments) console.log(frame, track, boxXyxyPx, objectScore);
 * segmenter.dispose();
 */
export class TrackedSegmenter implements ClipSegmenter, Disposable {
  readonly tracking = 'memory';
  private readonly models: TrackedModels;

  /** For prompts other than text. */
  get tracker(): ClipTracking {
    return this.models.tracking;
  }

  constructor(models: TrackedModels) {
    this.models = models;
  }

  /**
   * Loads both models.
   *
   * @throws CheckpointError where the masker has no memory, or naming the file that is missing or does not fit.
   */
  static async load(options: TrackedLoadOptions): Promise<TrackedSegmenter> {
    const { segmenter, tracking } = await loadClipModels(options);
    if (tracking === undefined) {
      segmenter.dispose();
      throw new CheckpointError({
        code: 'E_MODEL_TYPE',
        where: options.masker ?? 'masker',
        what: 'expected a masker with a memory of other frames, got one for single images',
        fix: 'Take a SAM 2 as published for video, such as sam2.1-hiera-tiny',
      });
    }
    const dispose = () => {
      tracking.dispose();
      segmenter.masker?.dispose();
    };
    return new TrackedSegmenter({ detector: segmenter.detector, tracking: { track: (clip) => tracking.track(clip), dispose } });
  }

  /**
   * @param prompt - phrases, or one string that separates them by full stops.
   * @throws UsageError for invalid options; DataError naming a frame that cannot be read, after the frames before it.
   */
  async *segment(clip: Clip, prompt: string | readonly string[], options: ClipOptions = {}): AsyncGenerator<ClipFrame> {
    const phrases = typeof prompt === 'string' ? PromptTokenizer.parsePrompt(prompt) : prompt;
    const { every, signal, ...selection } = options;
    checkEvery(every);
    checkSegmentOptions(selection);
    const tracker = await this.models.tracking.track(clip);
    const following = new Following(clip, tracker, this.models.detector, phrases, selection);
    try {
      yield* following.run(every, signal);
    } finally {
      tracker.dispose();
    }
  }

  /** Frees the models. */
  dispose(): void {
    this.models.detector.dispose();
    this.models.tracking.dispose?.();
  }

  /** Frees the models; for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** An object that the tracker follows. */
interface FollowedTrack extends Track {
  /** The detector's confidence in the box that it was last marked with. */
  markedScore: number;
  /** Frames on which the detector found it. */
  hits: number;
  /** Frames on which it was in sight and not found, while in doubt. */
  misses: number;
}

/** The objects of one clip while it is followed. */
class Following {
  private readonly clip: Clip;
  private readonly tracker: ClipTracker;
  private readonly detector: Detector;
  private readonly phrases: readonly string[];
  private readonly selection: SegmentOptions;
  private readonly tracks: FollowedTrack[] = [];
  /** Ids of tracks that turned out to be another one, or nothing. */
  private readonly ended = new Set<number>();

  constructor(clip: Clip, tracker: ClipTracker, detector: Detector, phrases: readonly string[], selection: SegmentOptions) {
    this.clip = clip;
    this.tracker = tracker;
    this.detector = detector;
    this.phrases = phrases;
    this.selection = selection;
  }

  async *run(every: number | undefined, signal: AbortSignal | undefined): AsyncGenerator<ClipFrame> {
    let frame = 0;
    while (frame < this.clip.frames && !signal?.aborted) {
      // Until something is found, frame by frame; then the tracker carries it on, until the detector has to look.
      if (this.living.length === 0) {
        yield await this.look(frame, undefined);
        frame += 1;
        continue;
      }
      const propagation = this.tracker.propagate({ from: frame, direction: 'forward', frames: this.clip.frames - frame });
      let looked = false;
      for await (const tracked of propagation) {
        frame = tracked.frame + 1;
        const segments = this.update(tracked, new Set());
        if (this.hasToLook(tracked.frame, every)) {
          const again = await this.look(tracked.frame, tracked);
          yield again;
          looked = true;
          break;
        }
        yield { frame: tracked.frame, segments };
        if (signal?.aborted) return;
      }
      if (!looked) return;
    }
  }

  private hasToLook(frame: number, every: number | undefined): boolean {
    if (every !== undefined && frame % every === 0) return true;
    if (frame % SEARCH !== 0) return false;
    const { living } = this;
    return (
      living.some(({ visible, hits }) => !visible || hits < SURE) ||
      this.phrases.some((phrase) => living.every((track) => track.phrase !== phrase))
    );
  }

  /** Runs the detector on a frame, prompts the tracker with what is new or found again, and returns all objects there. */
  private async look(frame: number, tracked: TrackedFrame | undefined): Promise<ClipFrame> {
    const image = await this.clip.frame(frame);
    const detections = await this.detector.detect(image, this.phrases, this.selection);
    const current = new Map(tracked?.objects.map((object) => [object.object, object]));
    const detected = new Set<number>();
    const inDoubt = this.living.filter(({ visible, hits }) => visible && hits < SURE);
    for (const { detection, track } of assignTracks(detections, this.living)) {
      const { phrase, score, boxXyxyPx: box } = detection;
      const own = track ?? { id: this.tracks.length + 1, phrase, score, box, visible: false, markedScore: 0, hits: 0, misses: 0 };
      own.score = score;
      own.hits += 1;
      detected.add(own.id);
      if (track === undefined) this.tracks.push(own);
      // The tracker knows better where an object is that it has in sight, unless the detector is surer than ever.
      if (own.visible && score <= own.markedScore) continue;
      own.markedScore = score;
      own.box = box;
      const answer = await this.tracker.prompt({ frame, object: own.id, box });
      const object = answer.objects.find((one) => one.object === own.id);
      if (object !== undefined) current.set(own.id, object);
    }
    for (const track of inDoubt) {
      if (detected.has(track.id)) continue;
      track.misses += 1;
      if (track.misses >= SURE) this.end(track);
    }
    return { frame, segments: this.update({ frame, objects: [...current.values()] }, detected) };
  }

  private get living(): FollowedTrack[] {
    return this.tracks.filter(({ id }) => !this.ended.has(id));
  }

  private end(track: FollowedTrack): void {
    this.ended.add(track.id);
    track.visible = false;
    this.tracker.remove(track.id);
  }

  /** Brings all tracks up to date with a frame. */
  private update({ objects }: TrackedFrame, detected: ReadonlySet<number>): ClipSegment[] {
    const byId = new Map(objects.map((object) => [object.object, object]));
    for (const track of this.living) {
      const object = byId.get(track.id);
      const box = object !== undefined && object.objectScore >= SEEN ? boxOfMask(object.mask) : undefined;
      track.visible = box !== undefined;
      if (box !== undefined) track.box = box;
    }
    this.merge();
    return this.tracks.map((track) => segmentOf(track, byId.get(track.id), detected.has(track.id), this.clip));
  }

  /** Two tracks of a phrase that came to lie on each other are one object, under the older name. */
  private merge(): void {
    const seen = this.living.filter(({ visible }) => visible);
    for (const [i, younger] of seen.entries()) {
      const older = seen
        .slice(0, i)
        .find(({ id, phrase, box }) => phrase === younger.phrase && !this.ended.has(id) && boxIou(box, younger.box) >= MERGED);
      if (older !== undefined) this.end(younger);
    }
  }
}

function segmentOf(track: Track, object: TrackedObject | undefined, detected: boolean, clip: Clip): ClipSegment {
  const { id, phrase, score, visible, box } = track;
  return {
    track: id,
    phrase,
    visible,
    score,
    maskScore: object?.score ?? 0,
    objectScore: object?.objectScore ?? 0,
    detected,
    boxXyxyPx: visible ? box : undefined,
    mask: visible && object !== undefined ? object.mask : emptyMask(clip),
  };
}
