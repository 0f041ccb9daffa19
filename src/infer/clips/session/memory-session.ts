import { boxOfMask, type Clip } from '../../../imaging/index.js';
import type { ClipTracker, TrackedObject, TrackerState } from '../../clip-tracker.js';
import type { Detector } from '../../detector.js';
import { framesToTrack } from '../../frames-to-track.js';
import { checkSegmentOptions, type SegmentOptions } from '../../segment-options.js';
import { assignTracks, emptyMask } from '../tracks.js';
import {
  type ClipSession,
  type Course,
  type Direction,
  MOST_OBJECTS,
  SEEN,
  type SessionFrame,
  type SessionMark,
  type SessionSegment,
  type SessionState,
} from './clip-session.js';
import { KnownTracks, onFrame } from './known-tracks.js';

class MemoryState implements SessionState {
  readonly tracks: KnownTracks;
  readonly marks: ReadonlySet<string>;
  readonly tracker: TrackerState;

  constructor(tracks: KnownTracks, marks: ReadonlySet<string>, tracker: TrackerState) {
    this.tracks = tracks;
    this.marks = marks;
    this.tracker = tracker;
  }

  dispose(): void {
    this.tracker.dispose();
  }
}

/** Work on a clip with a tracker that remembers objects: what is marked or found on one frame is carried to all others. */
export class MemorySession implements ClipSession {
  readonly tracking = 'memory';
  readonly clip: Clip;
  private readonly tracker: ClipTracker;
  private readonly detector: Detector;
  private tracks: KnownTracks;
  /** Frames and objects that were marked there. */
  private marks = new Set<string>();

  /** @param tracker - of this clip, without objects; owned by the session. */
  constructor(clip: Clip, tracker: ClipTracker, detector: Detector, mostObjects = MOST_OBJECTS) {
    this.clip = clip;
    this.tracker = tracker;
    this.detector = detector;
    this.tracks = new KnownTracks(mostObjects);
  }

  async find(frame: number, phrases: readonly string[], options: SegmentOptions = {}): Promise<SessionFrame> {
    checkSegmentOptions(options);
    const image = await this.clip.frame(frame);
    const detections = await this.detector.detect(image, phrases, options);
    const assigned = assignTracks(detections, this.tracks.near(frame));
    this.tracks.checkRoom(assigned.filter(({ track }) => track === undefined).length);
    const segments: SessionSegment[] = [];
    for (const { detection, track } of assigned) {
      const { phrase, score, boxXyxyPx: box } = detection;
      const own = track === undefined ? this.tracks.add(phrase, score) : this.tracks.get(track.id);
      own.score = score;
      // The tracker knows better where an object is that it has in sight.
      if (own.boxes.get(frame) === undefined) segments.push(await this.ask(own.id, { frame, phrase, box }));
    }
    return { frame, segments };
  }

  async mark({ track, ...mark }: SessionMark): Promise<SessionFrame> {
    const own = track === undefined ? this.tracks.add(mark.phrase, null) : this.tracks.get(track);
    try {
      return { frame: mark.frame, segments: [await this.ask(own.id, mark)] };
    } catch (error) {
      if (track === undefined) this.tracks.remove(own.id);
      throw error;
    }
  }

  private async ask(object: number, { frame, box, points, labels, mask }: SessionMark): Promise<SessionSegment> {
    const { objects } = await this.tracker.prompt({ frame, object, box, points, labels, mask });
    this.marks.add(onFrame(frame, object));
    return this.segmentOf(frame, objects.find((own) => own.object === object) as TrackedObject);
  }

  plan(course: Course): readonly number[] {
    const tracked = this.tracks.all.flatMap(({ boxes }) => [...boxes.keys()]);
    return framesToTrack(course, tracked, this.clip);
  }

  async step(frame: number, direction: Direction): Promise<SessionFrame> {
    const segments: SessionSegment[] = [];
    for await (const { objects } of this.tracker.propagate({ from: frame, direction, frames: 1 }))
      segments.push(...objects.map((object) => this.segmentOf(frame, object)));
    return { frame, segments };
  }

  private segmentOf(frame: number, { object, mask, score, objectScore }: TrackedObject): SessionSegment {
    const track = this.tracks.get(object);
    const box = objectScore >= SEEN ? boxOfMask(mask) : undefined;
    track.boxes.set(frame, box);
    return {
      track: track.id,
      phrase: track.phrase,
      score: track.score,
      maskScore: score,
      objectScore,
      marked: this.marks.has(onFrame(frame, object)),
      boxXyxyPx: box,
      mask: box === undefined ? emptyMask(this.clip) : mask,
    };
  }

  remove(track: number): void {
    this.tracks.remove(track);
    this.tracker.remove(track);
  }

  async save(): Promise<SessionState> {
    return new MemoryState(this.tracks.copy(), new Set(this.marks), await this.tracker.save());
  }

  async restore(state: SessionState): Promise<void> {
    if (!(state instanceof MemoryState)) throw new RangeError('MemorySession.restore: the state is of another session');
    await this.tracker.restore(state.tracker);
    this.tracks = state.tracks;
    this.marks = new Set(state.marks);
  }

  dispose(): void {
    this.tracker.dispose();
  }
}
