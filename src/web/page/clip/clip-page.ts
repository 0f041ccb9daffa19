import type { ClipChange, OpenedClipRecord } from '../../../serve/engine/clips/clip-jobs.js';
import type { ReadSegment } from '../../../serve/engine/jobs.js';
import { counted } from '../../../util/counted.js';
import { drawOverlay, type ExportKind, saveBlob, saveJson } from '../export-files.js';
import { tool } from '../panel.js';
import { type Gestures, listen } from '../pointer.js';
import type { Tasks } from '../tasks.js';
import { type ControlActions, listenToControls } from './clip-controls.js';
import type { ClipEngine, FindQuestion } from './clip-engine.js';
import { ClipFrames } from './clip-frames.js';
import { ClipMarks } from './clip-marks.js';
import { ClipState } from './clip-state.js';
import { ClipView } from './clip-view.js';
import { FrameCache } from './frame-cache.js';
import { type ClipActions, isGone, type OpenClip } from './open-clip.js';
import { Propagation } from './propagation.js';
import { clipCoco, clipResults } from './save-clip.js';

/** What the clip needs of the page around it. */
export interface ClipHooks {
  readonly engine: () => ClipEngine;
  readonly readSegmentation: (file: File, clip: OpenedClipRecord, signal: AbortSignal) => Promise<readonly ReadSegment[]>;
  readonly tasks: Tasks;
  /** What is looked for, and which boxes count. */
  readonly question: () => Omit<FindQuestion, 'frame'>;
}

/** A clip in the page: its frames along time, the objects on them, and how they are followed. */
export class ClipPage implements ClipActions {
  readonly engine: () => ClipEngine;
  readonly tasks: Tasks;
  readonly view: ClipView;
  current: OpenClip | undefined;
  private readonly hooks: ClipHooks;
  private readonly frames: ClipFrames;
  private readonly marks: ClipMarks;
  private readonly propagation: Propagation;
  private masker = '';

  constructor(hooks: ClipHooks) {
    this.hooks = hooks;
    this.engine = hooks.engine;
    this.tasks = hooks.tasks;
    this.view = new ClipView((frame) => this.frames.seek(frame));
    this.frames = new ClipFrames(this);
    this.marks = new ClipMarks(this);
    this.propagation = new Propagation(this);
    const { canvas, layers } = this.view;
    listen(canvas, layers, () => this.current?.opened ?? { width: 1, height: 1 }, tool, this.gestures());
    listenToControls(() => this.active, canvas, this.controls());
    window.addEventListener('pagehide', () => this.close());
  }

  /** Whether a clip is open. */
  get active(): boolean {
    return this.current !== undefined;
  }

  get frame(): number {
    return this.frames.current;
  }

  shows(file: File): boolean {
    return this.current?.file === file;
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
    const opened = await this.engine().open(file, signal);
    if (opened.frames === 1) {
      this.engine().close(opened);
      return undefined;
    }
    this.close();
    const open = new AbortController();
    const cache = new FrameCache(opened, (index) => {
      const own = this.current?.opened ?? opened;
      return this.engine().frame(own, index, open.signal);
    });
    this.current = { file, opened, cache, state: new ClipState(), open };
    this.view.show(opened, this.masker);
    await this.frames.start(this.current);
    const notices = opened.notices.map((notice) => `. ${notice}`).join('');
    return `${counted(opened.frames, 'frame')}, ${opened.width} × ${opened.height} pixels${notices}`;
  }

  /** Frees the clip, here and in the engine. */
  close(): void {
    const { current } = this;
    this.frames.stop();
    this.current = undefined;
    this.view.hide();
    if (current === undefined) return;
    current.open.abort();
    current.cache.close();
    this.engine().close(current.opened);
  }

  /** Sends the clip, with what was marked on it, to an engine that was started again. */
  async reopen(signal: AbortSignal): Promise<void> {
    const { current } = this;
    if (current === undefined) return;
    current.opened = await this.engine().open(current.file, signal);
    await this.marks.repeat(current, signal);
    this.view.layers.chosenTrack = undefined;
    this.refresh();
  }

  /** After the window changed its size. */
  resize(): void {
    this.refresh();
  }

  /** Looks for the prompt on the current frame. */
  async find(): Promise<void> {
    const { frame } = this;
    this.frames.stop();
    await this.work('Searching', async (clip, signal) => {
      const begin = performance.now();
      const known = new Set(clip.state.objects.map(({ track }) => track));
      const change = await this.engine().find(clip.opened, { frame, ...this.hooks.question() }, signal);
      this.take(change);
      const seconds = ((performance.now() - begin) / 1000).toFixed(1);
      const visible = change.tracks.filter(({ bbox }) => bbox !== null);
      const fresh = visible.filter(({ track }) => !known.has(track)).length;
      const again = visible.length - fresh;
      return `${fresh} found on frame ${frame} in ${seconds} s${again > 0 ? `, ${again} known before` : ''}`;
    });
  }

  /** Marks the segments of a segmentation on their frames, each an object with its name. */
  async addSegmentation(file: File): Promise<void> {
    this.frames.stop();
    await this.marks.addSegmentation(file, this.hooks.readSegmentation);
  }

  /** Forgets the selected object. */
  async removeChosen(): Promise<void> {
    const { chosenTrack } = this.view.layers;
    if (chosenTrack === undefined) return;
    await this.work('Removing', async (clip, signal) => {
      const { undo } = await this.engine().remove(clip.opened, chosenTrack, signal);
      clip.state.begin(undo);
      clip.state.remove(chosenTrack);
      this.refresh();
      return 'Removed';
    });
  }

  /** Saves the current frame, or what is known of all. */
  async save(kind: ExportKind): Promise<void> {
    const { current, frame } = this;
    const image = current?.cache.peek(frame);
    if (current === undefined || image === undefined) return;
    const { file, opened, state } = current;
    const stem = file.name.replace(/\.[^.]*$/, '') || 'clip';
    if (kind === 'png')
      return saveBlob(`${stem}-${frame}-overlay.png`, await drawOverlay(image, this.view.layers, opened.spacing_mm));
    const record = kind === 'json' ? clipResults(file.name, opened, state) : clipCoco(file.name, opened, state);
    saveJson(`${stem}-${kind}.json`, record);
  }

  refresh(): void {
    if (this.current !== undefined) this.view.refresh(this.current, this.frame, () => this.refresh());
  }

  take(change: ClipChange, more: (track: number) => void = () => {}): void {
    const { current } = this;
    if (current === undefined) return;
    current.state.begin(change.undo);
    current.state.put(change);
    for (const { track } of change.tracks) more(track);
    this.refresh();
  }

  async work(busy: string, body: (clip: OpenClip, signal: AbortSignal) => Promise<string>): Promise<void> {
    await this.tasks.run(busy, async (signal) => {
      const { current } = this;
      if (current === undefined) return '';
      try {
        return await body(current, signal);
      } catch (error) {
        if (!isGone(error) || this.current !== current) throw error;
        this.tasks.say('The server no longer keeps the clip: sending it again');
        await this.reopen(signal);
        return await body(current, signal);
      }
    });
  }

  private gestures(): Gestures {
    const marked = (body: () => Promise<void>) => {
      this.frames.stop();
      void body();
    };
    const draw = () => {
      if (this.current !== undefined) this.view.draw(this.current, this.frame);
    };
    return {
      draft: (bbox) => {
        this.view.draft = bbox;
        draw();
      },
      drawn: (bbox) => marked(() => this.marks.drawn(bbox)),
      moving: draw,
      moved: ({ key, bbox }) => marked(() => this.marks.moved(key, bbox)),
      chosen: (layer) => this.choose(layer?.key),
      point: (at, inside) => marked(() => this.marks.point(at, inside)),
    };
  }

  private controls(): ControlActions {
    return {
      play: () => this.frames.toggle(),
      step: (by) => this.frames.step(by),
      seek: (where) => this.frames.seek(where === 'start' ? 0 : this.frames.last),
      propagate: (direction) => void this.propagation.run(direction),
      undo: () => void this.undo(),
      stop: () => {
        this.tasks.stop();
        this.tasks.say('Stopped; what was done stays');
        this.refresh();
      },
      remove: () => void this.removeChosen(),
      deselect: () => this.choose(undefined),
    };
  }

  private choose(track: number | undefined): void {
    this.view.layers.chosenTrack = track;
    this.refresh();
  }

  private async undo(): Promise<void> {
    if (this.current === undefined || this.current.state.undoable === 0) return;
    await this.work('Undoing', async (clip, signal) => {
      await this.engine().undo(clip.opened, signal);
      clip.state.undo();
      this.refresh();
      return 'Undone';
    });
  }
}
