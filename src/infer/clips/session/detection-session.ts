import { boxOfMask, type Clip } from '../../../imaging/index.js';
import { UsageError } from '../../../util/index.js';
import { askMasker } from '../../ask-masker.js';
import { checkFrame, framesToTrack } from '../../frames-to-track.js';
import type { Masker } from '../../masker.js';
import type { SegmentOptions } from '../../segment-options.js';
import type { Segment, Segmenter } from '../../segmenter.js';
import { assignTracks, emptyMask } from '../tracks.js';
import {
  type ClipSession,
  type Course,
  MOST_OBJECTS,
  type SessionFrame,
  type SessionMark,
  type SessionSegment,
  type SessionState,
} from './clip-session.js';
import { type KnownTrack, KnownTracks, onFrame } from './known-tracks.js';

/** What is looked for on every frame. */
interface Asked {
  readonly phrases: readonly string[];
  readonly options: SegmentOptions;
}

class DetectionState implements SessionState {
  readonly tracks: KnownTracks;
  readonly marks: ReadonlyMap<string, SessionSegment>;
  readonly asked: Asked;

  constructor(tracks: KnownTracks, marks: ReadonlyMap<string, SessionSegment>, asked: Asked) {
    this.tracks = tracks;
    this.marks = marks;
    this.asked = asked;
  }

  dispose(): void {}
}

/**
 * Work on a clip with a masker that has no memory: each frame is segmented on its own by the phrases that were looked for, and
 * objects keep their identity by overlap. What is drawn on a frame stays on that frame.
 */
export class DetectionSession implements ClipSession {
  readonly tracking = 'detection';
  readonly clip: Clip;
  private readonly segmenter: Segmenter<Masker>;
  private tracks: KnownTracks;
  private marks = new Map<string, SessionSegment>();
  private asked: Asked = { phrases: [], options: {} };

  constructor(clip: Clip, segmenter: Segmenter<Masker>, mostObjects = MOST_OBJECTS) {
    this.clip = clip;
    this.segmenter = segmenter;
    this.tracks = new KnownTracks(mostObjects);
  }

  async find(frame: number, phrases: readonly string[], options: SegmentOptions = {}): Promise<SessionFrame> {
    const answer = await this.look(frame, { phrases, options });
    this.asked = { phrases: [...new Set([...this.asked.phrases, ...phrases])], options };
    return answer;
  }

  private async look(frame: number, { phrases, options }: Asked): Promise<SessionFrame> {
    const found = await this.segmenter.segment(await this.clip.frame(frame), phrases, options);
    const assigned = assignTracks(found, this.tracks.near(frame));
    this.tracks.checkRoom(assigned.filter(({ track }) => track === undefined).length);
    const now = new Map<number, Segment>();
    for (const { detection, track } of assigned) {
      const own = track === undefined ? this.tracks.add(detection.phrase, detection.score) : this.tracks.get(track.id);
      now.set(own.id, detection as Segment);
    }
    const about = this.tracks.all.filter(({ phrase }) => phrases.includes(phrase));
    return { frame, segments: about.map((track) => this.segmentOf(frame, track, now.get(track.id))) };
  }

  private segmentOf(frame: number, track: KnownTrack, found: Segment | undefined): SessionSegment {
    const drawn = this.marks.get(onFrame(frame, track.id));
    if (drawn !== undefined) return drawn;
    const box = found && boxOfMask(found.mask);
    track.boxes.set(frame, box);
    if (found !== undefined) track.score = found.score;
    return {
      track: track.id,
      phrase: track.phrase,
      score: track.score,
      maskScore: found?.maskScore ?? 0,
      // The detector's confidence is all that says whether it is there.
      objectScore: found?.score ?? 0,
      marked: false,
      boxXyxyPx: box,
      mask: found?.mask ?? emptyMask(this.clip),
    };
  }

  async mark({ frame, track, phrase, box, points = [], labels = [], mask }: SessionMark): Promise<SessionFrame> {
    checkFrame(frame, this.clip);
    const given = mask === undefined ? await this.ask(frame, { boxXyxyPx: box, points, labels }) : { mask, score: 1 };
    const own = track === undefined ? this.tracks.add(phrase, null) : this.tracks.get(track);
    const boxXyxyPx = boxOfMask(given.mask);
    own.boxes.set(frame, boxXyxyPx);
    const segment = {
      track: own.id,
      phrase: own.phrase,
      score: own.score,
      maskScore: given.score,
      objectScore: boxXyxyPx === undefined ? 0 : 1,
      marked: true,
      boxXyxyPx,
      mask: given.mask,
    };
    this.marks.set(onFrame(frame, own.id), segment);
    return { frame, segments: [segment] };
  }

  private async ask(frame: number, prompt: Parameters<typeof askMasker>[1]) {
    const { masker } = this.segmenter;
    await masker.setImage(await this.clip.frame(frame));
    const [best] = await askMasker(masker, prompt);
    if (best !== undefined) return best;
    return { mask: emptyMask(this.clip), score: 0 };
  }

  plan(course: Course): readonly number[] {
    if (this.asked.phrases.length === 0)
      throw new UsageError({
        code: 'E_PROMPT_INVALID',
        where: this.clip.name,
        what: 'this masker has no memory of other frames: what is drawn stays on its frame, and no phrase was looked for yet',
        fix: 'Look for a phrase first; it is then looked for on each frame',
      });
    return framesToTrack(course, [course.from], this.clip);
  }

  step(frame: number): Promise<SessionFrame> {
    return this.look(frame, this.asked);
  }

  remove(track: number): void {
    this.tracks.remove(track);
    for (const [key, segment] of this.marks) if (segment.track === track) this.marks.delete(key);
  }

  async save(): Promise<SessionState> {
    return new DetectionState(this.tracks.copy(), new Map(this.marks), this.asked);
  }

  async restore(state: SessionState): Promise<void> {
    if (!(state instanceof DetectionState)) throw new RangeError('DetectionSession.restore: the state is of another session');
    this.tracks = state.tracks;
    this.marks = new Map(state.marks);
    this.asked = state.asked;
  }

  dispose(): void {
    this.marks.clear();
  }
}
