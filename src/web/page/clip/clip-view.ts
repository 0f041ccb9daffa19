import type { OpenedClipRecord } from '../../../serve/engine/clips/clip-jobs.js';
import { drawScene } from '../draw.js';
import { element } from '../element.js';
import type { Bbox } from '../layers.js';
import { ClipLayers } from './clip-layers.js';
import type { ClipState } from './clip-state.js';
import type { FrameCache } from './frame-cache.js';
import { TimeBar } from './time-bar.js';
import { showTracks } from './track-list.js';

/** What is shown of a clip. */
export interface ShownClip {
  readonly opened: OpenedClipRecord;
  readonly cache: FrameCache;
  readonly state: ClipState;
}

/** Parts of the page that only a clip has. */
const PARTS = ['clip', 'follow', 'clip-keys', 'clip-tracks'];

/** A clip as the page shows it: the current frame with its objects, the time bar, the list, and which buttons can be pressed. */
export class ClipView {
  readonly canvas = element<HTMLCanvasElement>('clip-canvas');
  readonly layers = new ClipLayers();
  /** A box that is being drawn. */
  draft: Bbox | undefined;
  private readonly bar: TimeBar;

  /** @param seek - called with a frame that was chosen on the bar. */
  constructor(seek: (frame: number) => void) {
    this.bar = new TimeBar(element('clip-scores'), seek);
  }

  /** @param masker - its name, for what it cannot do. */
  show({ tracking }: OpenedClipRecord, masker: string): void {
    this.layers.chosenTrack = undefined;
    this.layers.off.clear();
    for (const id of PARTS) element(id).hidden = false;
    const remembers = tracking === 'memory';
    element('follow-how').textContent = remembers
      ? 'Follow all objects from this frame on'
      : `${masker || 'The masker'} has no memory of other frames: the detector looks on each of them`;
    element('clip-backward-name').textContent = remembers ? 'Backward' : 'Detect backward';
    element('clip-forward-name').textContent = remembers ? 'Forward' : 'Detect forward';
  }

  hide(): void {
    for (const id of PARTS) element(id).hidden = true;
  }

  showPlaying(playing: boolean): void {
    const button = element('clip-play');
    button.classList.toggle('playing', playing);
    button.ariaLabel = playing ? 'Pause' : 'Play';
    button.title = `${playing ? 'Pause' : 'Play'} (space bar)`;
  }

  /** Shows how far a propagation is; undefined while it is not known, null when none is running. */
  showProgress(share: number | undefined | null): void {
    for (const id of ['clip-progress', 'clip-stop']) element(id).hidden = share === null;
    const progress = element<HTMLProgressElement>('clip-progress');
    if (share === undefined) progress.removeAttribute('value');
    else if (share !== null) progress.value = share;
  }

  /** Draws a frame, or leaves the last one until it is loaded. */
  draw({ opened, cache }: ShownClip, frame: number): void {
    const image = cache.peek(frame);
    if (image === undefined) return;
    const { width, height, spacing_mm: spacingMm } = opened;
    const most = { width: element('stage').clientWidth, height: Math.max(200, 0.62 * window.innerHeight) };
    const fit = Math.min(most.width / width, most.height / height);
    const ratio = window.devicePixelRatio;
    this.canvas.style.width = `${width * fit}px`;
    this.canvas.style.height = `${height * fit}px`;
    this.canvas.width = Math.round(width * fit * ratio);
    this.canvas.height = Math.round(height * fit * ratio);
    const context = this.canvas.getContext('2d') as CanvasRenderingContext2D;
    drawScene(context, image, this.layers, { scale: fit * ratio, line: 2 * ratio, draft: this.draft, spacingMm });
    this.canvas.dataset['frame'] = String(frame);
  }

  /**
   * Brings everything up to date.
   *
   * @param changed - called when the user has chosen or hidden an object in the list.
   */
  refresh(clip: ShownClip, frame: number, changed: () => void): void {
    const { layers } = this;
    const { state, opened } = clip;
    if (!state.objects.some(({ track }) => track === layers.chosenTrack)) layers.chosenTrack = undefined;
    layers.showFrame(state, frame);
    showTracks(element('clip-tracks'), state, frame, layers, changed);
    const { frames, frame_seconds: seconds } = opened;
    element<HTMLOutputElement>('clip-position').value = `${frame} / ${frames - 1}`;
    element('clip-time').textContent = seconds === null ? '' : `${(frame * seconds).toFixed(2)} s`;
    const nothing = state.objects.length === 0;
    const disabled = {
      'clip-back': frame === 0,
      'clip-next': frame === frames - 1,
      'clip-undo': state.undoable === 0,
      'clip-backward': nothing || frame === 0,
      'clip-forward': nothing || frame === frames - 1,
      delete: layers.chosenTrack === undefined,
    };
    for (const [id, isDisabled] of Object.entries(disabled)) element<HTMLButtonElement>(id).disabled = isDisabled;
    this.bar.show({ frames, current: frame, state, chosen: layers.chosenTrack, off: layers.off });
    this.draw(clip, frame);
  }
}
