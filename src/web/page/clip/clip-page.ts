import type { Direction } from '../../../infer/index.js';
import type { ClipChange, OpenedClipRecord, SentFrame } from '../../../serve/engine/clips/clip-jobs.js';
import type { ReadSegment } from '../../../serve/engine/jobs.js';
import { drawOverlay, type ExportKind, saveBlob, saveJson } from '../export-files.js';
import type { Bbox, Rle } from '../layers.js';
import { listen, type Tool } from '../pointer.js';
import { ApiError } from '../requests.js';
import type { ClipEngine, FindQuestion, Mark } from './clip-engine.js';
import type { ClipLayers } from './clip-layers.js';
import { ClipState, type Drawn } from './clip-state.js';
import { ClipView, type ShownClip } from './clip-view.js';
import { FrameCache } from './frame-cache.js';
import { listenToKeys } from './keys.js';
import { Player } from './player.js';
import { clipCoco, clipResults } from './save-clip.js';

/** What the clip needs of the page around it. */
export interface ClipHooks {
  readonly engine: () => ClipEngine;
  readonly readSegmentation: (file: File, clip: OpenedClipRecord, signal: AbortSignal) => Promise<readonly ReadSegment[]>;
  readonly say: (text: string, bad?: boolean) => void;
  /** Runs a task that is aborted by the next one, and reports its errors. */
  readonly work: (busy: string, body: (signal: AbortSignal) => Promise<string>) => Promise<void>;
  /** Aborts the task. */
  readonly stop: () => void;
  readonly tool: () => Tool;
  /** What a drawn object is called. */
  readonly phrase: () => string;
  /** What is looked for, and which boxes count. */
  readonly question: () => Omit<FindQuestion, 'frame'>;
}

interface Current extends ShownClip {
  readonly file: File;
  opened: OpenedClipRecord;
  /** Aborted when another file is opened. */
  readonly open: AbortController;
}

const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;

/** A clip in the page: its frames along time, the objects on them, and how they are followed. */
export class ClipPage {
  private readonly hooks: ClipHooks;
  private readonly view: ClipView;
  private readonly layers: ClipLayers;
  private readonly player: Player;
  private current: Current | undefined;
  private frame = 0;
  private masker = '';
  /** Counts propagations. */
  private runs = 0;

  constructor(hooks: ClipHooks) {
    this.hooks = hooks;
    this.view = new ClipView((frame) => this.seek(frame));
    this.layers = this.view.layers;
    this.player = new Player({
      next: () => this.show(this.current === undefined ? 0 : (this.frame + 1) % this.current.opened.frames),
      changed: (playing) => this.view.showPlaying(playing),
      failed: (error) => this.failed(error),
    });
    listen(this.view.canvas, this.layers, () => this.current?.opened ?? { width: 1, height: 1 }, hooks.tool, {
      draft: (bbox) => {
        this.view.draft = bbox;
        this.draw();
      },
      drawn: (bbox) => void this.drawn(bbox),
      moving: () => this.draw(),
      moved: ({ key, bbox }) => void this.mark(key, { bbox, points: [] }),
      chosen: (layer) => {
        this.layers.chosenTrack = layer?.key;
        this.refresh();
      },
      point: (at, inside) => void this.point(at, inside),
    });
    const click = (id: string, action: () => void) => element(id).addEventListener('click', action);
    click('clip-play', () => this.player.toggle());
    click('clip-back', () => this.step(-1));
    click('clip-next', () => this.step(1));
    click('clip-backward', () => void this.propagate('backward'));
    click('clip-forward', () => void this.propagate('forward'));
    click('clip-undo', () => void this.undo());
    click('clip-stop', () => {
      hooks.stop();
      hooks.say('Stopped; what was done stays');
      this.refresh();
    });
    listenToKeys(() => this.active, {
      play: () => this.player.toggle(),
      step: (by) => this.step(by),
      seek: (where) => this.seek(where === 'start' ? 0 : (this.current?.opened.frames ?? 1) - 1),
      undo: () => void this.undo(),
      remove: () => void this.removeChosen(),
      deselect: () => {
        this.layers.chosenTrack = undefined;
        this.refresh();
      },
    });
    // What is drawn next belongs to the keys of the clip again.
    for (const radio of document.querySelectorAll<HTMLInputElement>('[name=tool]'))
      radio.addEventListener('click', () => this.active && this.view.canvas.focus());
    window.addEventListener('pagehide', () => this.close());
  }

  /** Whether a clip is open. */
  get active(): boolean {
    return this.current !== undefined;
  }

  /** @param masker - its name, for what it cannot do. */
  set maskerName(masker: string) {
    this.masker = masker;
  }

  /**
   * Opens a file as a clip.
   *
   * @returns undefined for a single image, which is no clip.
   */
  async open(file: File, signal: AbortSignal): Promise<string | undefined> {
    const opened = await this.hooks.engine().open(file, signal);
    if (opened.frames === 1) {
      this.hooks.engine().close(opened);
      return undefined;
    }
    this.close();
    const open = new AbortController();
    const cache = new FrameCache(opened, (index) => {
      const own = this.current?.opened ?? opened;
      return this.hooks.engine().frame(own, index, open.signal);
    });
    this.current = { file, opened, cache, state: new ClipState(), open };
    this.view.show(opened, this.masker);
    this.player.seconds = opened.frame_seconds ?? undefined;
    await this.show(0);
    const notices = opened.notices.map((notice) => `. ${notice}`).join('');
    return `${opened.frames} frames, ${opened.width} × ${opened.height} pixels${notices}`;
  }

  /** Frees the clip, here and in the engine. */
  close(): void {
    const { current } = this;
    this.player.stop();
    this.current = undefined;
    this.view.hide();
    if (current === undefined) return;
    current.open.abort();
    current.cache.close();
    this.hooks.engine().close(current.opened);
  }

  /** Sends the clip to an engine that was started again. */
  async reopen(signal: AbortSignal): Promise<void> {
    const { current } = this;
    if (current === undefined) return;
    current.opened = await this.hooks.engine().open(current.file, signal);
    const numbers = new Map<number, number>();
    // What was marked is marked again by its masks.
    for (const { track, phrase } of current.state.objects) {
      for (const frame of current.state.frames) {
        const seen = current.state.of(frame, track);
        if (seen?.marked !== true || seen.mask === null) continue;
        const known = numbers.get(track);
        const mark = { frame, phrase, mask: seen.mask, ...(known === undefined ? {} : { track: known }) };
        const { tracks } = await this.hooks.engine().mark(current.opened, mark, signal);
        const [answer] = tracks;
        if (known === undefined && answer !== undefined) numbers.set(track, answer.track);
      }
    }
    current.state.renumber(numbers);
    this.layers.chosenTrack = undefined;
    this.refresh();
  }

  private seek(frame: number): void {
    this.player.stop();
    void this.show(frame).catch((error: unknown) => this.failed(error));
  }

  /** A frame could not be shown. */
  private failed(error: unknown): void {
    if (isGone(error)) void this.work('Reading the clip', (current) => this.load(current));
    else this.hooks.say(error instanceof Error ? error.message : String(error), true);
  }

  private step(by: number): void {
    const last = (this.current?.opened.frames ?? 1) - 1;
    this.seek(Math.max(0, Math.min(last, this.frame + by)));
  }

  /** Shows a frame once it is loaded. */
  private async show(frame: number): Promise<void> {
    const { current } = this;
    if (current === undefined) return;
    const before = this.frame;
    this.frame = frame;
    this.refresh();
    try {
      await current.cache.get(frame);
    } catch (error) {
      if (current.open.signal.aborted) return;
      throw error;
    }
    if (this.current !== current || this.frame !== frame) return;
    this.draw();
    const by = frame < before ? -1 : 1;
    const { frames } = current.opened;
    current.cache.prepare([1, 2].map((ahead) => (frame + by * ahead + frames) % frames));
  }

  private async load({ cache }: Current): Promise<string> {
    await cache.get(this.frame);
    this.draw();
    return '';
  }

  private draw(): void {
    if (this.current !== undefined) this.view.draw(this.current, this.frame);
  }

  private refresh(): void {
    if (this.current !== undefined) this.view.refresh(this.current, this.frame, () => this.refresh());
  }

  /** After the window changed its size. */
  resize(): void {
    this.refresh();
  }

  /** Looks for the prompt on the current frame. */
  async find(): Promise<void> {
    const { frame } = this;
    this.player.stop();
    await this.work('Searching', async (current, signal) => {
      const begin = performance.now();
      const known = new Set(current.state.objects.map(({ track }) => track));
      const change = await this.hooks.engine().find(current.opened, { frame, ...this.hooks.question() }, signal);
      this.take(change);
      const seconds = ((performance.now() - begin) / 1000).toFixed(1);
      const visible = change.tracks.filter(({ bbox }) => bbox !== null);
      const fresh = visible.filter(({ track }) => !known.has(track)).length;
      const again = visible.length - fresh;
      return `${fresh} found on frame ${frame} in ${seconds} s${again > 0 ? `, ${again} known before` : ''}`;
    });
  }

  /** A box names the selected object where that is not in sight, otherwise a new one. */
  private drawn(bbox: Bbox): Promise<void> {
    const { chosenTrack, chosen } = this.layers;
    return this.mark(chosenTrack !== undefined && chosen === undefined ? chosenTrack : undefined, { bbox, points: [] });
  }

  private point(at: readonly [number, number], inside: boolean): Promise<void> {
    const { current, frame } = this;
    const track = this.layers.chosenTrack;
    const before = track === undefined ? undefined : current?.state.drawnFor(frame, track);
    const points = [...(before?.points ?? []), { at, inside }];
    // Without a memory, an earlier mask is known to the masker by its box alone.
    const seen = track === undefined ? undefined : current?.state.of(frame, track);
    const bbox = before === undefined && current?.opened.tracking === 'detection' ? seen?.bbox : before?.bbox;
    return this.mark(track, { points, ...(bbox != null && { bbox }) });
  }

  private async mark(track: number | undefined, drawn: Drawn): Promise<void> {
    const { frame } = this;
    this.player.stop();
    await this.work('Segmenting', async (current, signal) => {
      const { bbox, points } = drawn;
      const phrase = this.hooks.phrase();
      const mark: Mark = {
        frame,
        ...(track === undefined ? { phrase } : { track }),
        ...(bbox !== undefined && { bbox }),
        ...(points.length > 0 && { points: points.map(({ at }) => at), labels: points.map(({ inside }) => (inside ? 1 : 0)) }),
      };
      const change = await this.hooks.engine().mark(current.opened, mark, signal);
      const [seen] = change.tracks;
      this.take(change, (own) => current.state.draw(frame, own, drawn));
      this.layers.chosenTrack = seen?.track;
      this.refresh();
      if (seen === undefined || seen.bbox === null) return `No mask on frame ${frame}`;
      return `Mask of ${seen.area} pixels on frame ${frame}, quality ${seen.mask_score.toFixed(2)}`;
    });
  }

  shows(file: File): boolean {
    return this.current?.file === file;
  }

  /** Marks the segments of a segmentation on their frames, each an object with its name. */
  async addSegmentation(file: File): Promise<void> {
    this.player.stop();
    await this.work('Reading the segmentation', async (current, signal) => {
      const segments = await this.hooks.readSegmentation(file, current.opened, signal);
      const tracks = new Map<number, number>();
      for (const [i, { frame, segment, phrase, mask }] of segments.entries()) {
        const track = tracks.get(segment);
        const mark = { frame, mask: mask as Rle, ...(track === undefined ? { phrase } : { track }) };
        const change = await this.hooks.engine().mark(current.opened, mark, signal);
        this.take(change);
        const [seen] = change.tracks;
        if (track === undefined && seen !== undefined) tracks.set(segment, seen.track);
        this.hooks.say(`Reading the segmentation: ${i + 1} of ${segments.length} masks`);
      }
      const frames = new Set(segments.map(({ frame }) => frame)).size;
      return `${tracks.size} segments of ${file.name}, on ${frames} frames`;
    });
  }

  /** Forgets the selected object. */
  async removeChosen(): Promise<void> {
    const { chosenTrack } = this.layers;
    if (chosenTrack === undefined) return;
    await this.work('Removing', async (current, signal) => {
      const { undo } = await this.hooks.engine().remove(current.opened, chosenTrack, signal);
      current.state.begin(undo);
      current.state.remove(chosenTrack);
      this.refresh();
      return 'Removed';
    });
  }

  private async undo(): Promise<void> {
    if (this.current === undefined || this.current.state.undoable === 0) return;
    await this.work('Undoing', async (current, signal) => {
      await this.hooks.engine().undo(current.opened, signal);
      current.state.undo();
      this.refresh();
      return 'Undone';
    });
  }

  /** Carries all objects on; the bar fills while it runs. */
  private async propagate(direction: Direction): Promise<void> {
    const from = this.frame;
    await this.work('Following', async (current, signal) => {
      let [done, total, last] = [0, 0, from];
      this.runs += 1;
      const run = this.runs;
      this.view.showProgress(undefined);
      try {
        for await (const part of this.hooks.engine().propagate(current.opened, from, direction, signal)) {
          if (part.kind === 'begun') {
            total = part.frames;
            current.state.begin(part.undo);
          } else {
            this.put(current, part.frame);
            done += 1;
            last = part.frame.frame;
          }
          this.view.showProgress(total === 0 ? 0 : done / total);
          this.hooks.say(`Following: ${done} of ${total} frames`);
        }
      } catch (error) {
        if (done === 0 || signal.aborted || isGone(error)) throw error;
        throw new Error(`${(error as Error).message}. The ${done} frames to ${last} stay`);
      } finally {
        // Another one may be running by now.
        if (this.runs === run) this.view.showProgress(null);
        this.refresh();
      }
      return `${done} frames done, from ${from} to ${last}`;
    });
  }

  private put(current: Current, frame: SentFrame): void {
    current.state.put(frame);
    if (this.current === current) this.refresh();
  }

  private take(change: ClipChange, more: (track: number) => void = () => {}): void {
    const { current } = this;
    if (current === undefined) return;
    current.state.begin(change.undo);
    current.state.put(change);
    for (const { track } of change.tracks) more(track);
    this.refresh();
  }

  /** Runs a task on the clip; one that the engine no longer has is sent again first. */
  private async work(busy: string, body: (current: Current, signal: AbortSignal) => Promise<string>): Promise<void> {
    await this.hooks.work(busy, async (signal) => {
      const { current } = this;
      if (current === undefined) return '';
      try {
        return await body(current, signal);
      } catch (error) {
        if (!isGone(error) || this.current !== current) throw error;
        this.hooks.say('The server no longer keeps the clip: sending it again');
        await this.reopen(signal);
        return await body(current, signal);
      }
    });
  }

  /** Saves the current frame, or what is known of all. */
  async save(kind: ExportKind): Promise<void> {
    const { current, frame, layers } = this;
    const image = current?.cache.peek(frame);
    if (current === undefined || image === undefined) return;
    const { file, opened, state } = current;
    const stem = file.name.replace(/\.[^.]*$/, '') || 'clip';
    if (kind === 'png') return saveBlob(`${stem}-${frame}-overlay.png`, await drawOverlay(image, layers, opened.spacing_mm));
    const record = kind === 'json' ? clipResults(file.name, opened, state) : clipCoco(file.name, opened, state);
    saveJson(`${stem}-${kind}.json`, record);
  }
}

function isGone(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}
