import type { BoxXyxy } from '../../../imaging/index.js';
import { UsageError } from '../../../util/index.js';
import type { Track } from '../tracks.js';

/** An object, and where it was seen. */
export interface KnownTrack {
  readonly id: number;
  readonly phrase: string;
  score: number | null;
  /** By frame; undefined where it is known not to be visible. */
  readonly boxes: Map<number, BoxXyxy | undefined>;
}

/** Names an object on a frame. */
export function onFrame(frame: number, track: number): string {
  return `${frame} ${track}`;
}

/** The objects of a session. Identities are not given twice. */
export class KnownTracks {
  private readonly tracks = new Map<number, KnownTrack>();
  private readonly most: number;
  private given = 0;

  constructor(most: number) {
    this.most = most;
  }

  get all(): readonly KnownTrack[] {
    return [...this.tracks.values()];
  }

  /** @throws UsageError when so many more are too many. */
  checkRoom(more: number): void {
    if (this.tracks.size + more <= this.most) return;
    throw new UsageError({
      code: 'E_PROMPT_INVALID',
      where: 'clip',
      what: `there would be ${this.tracks.size + more} objects, and ${this.most} are followed at most`,
      fix: 'Remove some, or raise the threshold',
    });
  }

  add(phrase: string, score: number | null): KnownTrack {
    this.checkRoom(1);
    this.given += 1;
    const track = { id: this.given, phrase, score, boxes: new Map() };
    this.tracks.set(track.id, track);
    return track;
  }

  /** @throws UsageError when there is no such object. */
  get(id: number): KnownTrack {
    const track = this.tracks.get(id);
    if (track !== undefined) return track;
    throw new UsageError({
      code: 'E_PROMPT_INVALID',
      where: 'track',
      what: `there is no object ${id}`,
      fix: this.tracks.size === 0 ? 'Mark one first' : `There are ${[...this.tracks.keys()].join(', ')}`,
    });
  }

  remove(id: number): void {
    this.tracks.delete(this.get(id).id);
  }

  /** All objects as they were seen closest to a frame: visible if on it or on its neighbour. */
  near(frame: number): Track[] {
    return this.all.flatMap(({ id, phrase, score, boxes }) => {
      const seen = [...boxes.keys()].filter((at) => boxes.get(at) !== undefined);
      const closest = nearest(seen, frame);
      const box = closest === undefined ? undefined : boxes.get(closest);
      if (closest === undefined || box === undefined) return [];
      const known = nearest([...boxes.keys()], frame) as number;
      const visible = boxes.get(known) !== undefined && Math.abs(known - frame) <= 1;
      return [{ id, phrase, score: score ?? 0, box, visible }];
    });
  }

  copy(): KnownTracks {
    const copy = new KnownTracks(this.most);
    copy.given = this.given;
    for (const [id, track] of this.tracks) copy.tracks.set(id, { ...track, boxes: new Map(track.boxes) });
    return copy;
  }
}

function nearest(frames: readonly number[], frame: number): number | undefined {
  if (frames.length === 0) return undefined;
  return frames.reduce((best, at) => (Math.abs(at - frame) < Math.abs(best - frame) ? at : best));
}
