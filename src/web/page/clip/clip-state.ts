import type { SentFrame, SentTrack } from '../../../serve/engine/clips/clip-jobs.js';

/** An object of a clip. */
export interface ClipObject {
  readonly track: number;
  readonly phrase: string;
}

/** What the user clicked and drew for an object on a frame. */
export interface Drawn {
  readonly bbox?: readonly [number, number, number, number];
  readonly points: readonly { readonly at: readonly [number, number]; readonly inside: boolean }[];
}

interface Known {
  readonly objects: readonly ClipObject[];
  /** By frame and object. */
  readonly frames: ReadonlyMap<number, ReadonlyMap<number, SentTrack>>;
  /** By frame and object. */
  readonly drawn: ReadonlyMap<string, Drawn>;
}

const NOTHING: Known = { objects: [], frames: new Map(), drawn: new Map() };

/** All that the page knows of a clip's objects, now and before each change. */
export class ClipState {
  private now = NOTHING;
  private before: Known[] = [];

  get objects(): readonly ClipObject[] {
    return this.now.objects;
  }

  /** Number of changes that can be undone. */
  get undoable(): number {
    return this.before.length;
  }

  /** All objects known on a frame. */
  at(frame: number): readonly SentTrack[] {
    return [...(this.now.frames.get(frame)?.values() ?? [])];
  }

  of(frame: number, track: number): SentTrack | undefined {
    return this.now.frames.get(frame)?.get(track);
  }

  drawnFor(frame: number, track: number): Drawn | undefined {
    return this.now.drawn.get(keyOf(frame, track));
  }

  /** Frames on which anything is known, in order. */
  get frames(): readonly number[] {
    return [...this.now.frames.keys()].sort((a, b) => a - b);
  }

  /**
   * Begins a change that can be undone.
   *
   * @param undo - how many changes the engine can undo after it.
   */
  begin(undo: number): void {
    this.before.push(this.now);
    this.before = this.before.slice(Math.max(0, this.before.length - undo));
  }

  /** Takes what is new on a frame. */
  put({ frame, tracks }: SentFrame): void {
    const own = new Map(this.now.frames.get(frame));
    const objects = [...this.now.objects];
    for (const seen of tracks) {
      own.set(seen.track, seen);
      if (!objects.some(({ track }) => track === seen.track)) objects.push({ track: seen.track, phrase: seen.phrase });
    }
    const frames = new Map(this.now.frames).set(frame, own);
    this.now = { ...this.now, frames, objects: objects.sort((a, b) => a.track - b.track) };
  }

  /** Keeps what was drawn; it belongs to the change that has begun. */
  draw(frame: number, track: number, drawn: Drawn): void {
    this.now = { ...this.now, drawn: new Map(this.now.drawn).set(keyOf(frame, track), drawn) };
  }

  remove(track: number): void {
    const { objects, frames, drawn } = this.now;
    this.now = {
      objects: objects.filter((object) => object.track !== track),
      frames: new Map([...frames].map(([frame, own]) => [frame, without(own, track)])),
      drawn: new Map([...drawn].filter(([key]) => !key.endsWith(` ${track}`))),
    };
  }

  /** Goes back to what was known before the last change. */
  undo(): void {
    this.now = this.before.pop() ?? this.now;
  }

  /** Gives objects other numbers, as an engine that was told of them again counts; nothing before it can be undone. */
  renumber(numbers: ReadonlyMap<number, number>): void {
    const { objects, frames, drawn } = this.now;
    const kept = objects.flatMap(({ track, phrase }) => {
      const other = numbers.get(track);
      return other === undefined ? [] : [{ track: other, phrase }];
    });
    const renamed = (own: ReadonlyMap<number, SentTrack>) =>
      new Map(
        [...own.values()].flatMap((seen) => {
          const track = numbers.get(seen.track);
          return track === undefined ? [] : [[track, { ...seen, track }] as const];
        }),
      );
    this.before = [];
    this.now = {
      objects: kept,
      frames: new Map([...frames].map(([frame, own]) => [frame, renamed(own)])),
      drawn: new Map(
        [...drawn].flatMap(([key, value]) => {
          const [frame = '', track] = key.split(' ');
          const other = numbers.get(Number(track));
          return other === undefined ? [] : [[keyOf(Number(frame), other), value] as const];
        }),
      ),
    };
  }
}

function without(own: ReadonlyMap<number, SentTrack>, track: number): ReadonlyMap<number, SentTrack> {
  const rest = new Map(own);
  rest.delete(track);
  return rest;
}

function keyOf(frame: number, track: number): string {
  return `${frame} ${track}`;
}
