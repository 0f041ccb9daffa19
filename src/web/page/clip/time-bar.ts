import { trackColour } from './clip-layers.js';
import type { ClipState } from './clip-state.js';

/** What the bar shows. */
export interface TimeBarView {
  readonly frames: number;
  readonly current: number;
  readonly state: ClipState;
  readonly chosen: number | undefined;
  readonly off: ReadonlySet<number>;
}

/** Probability from which a frame shows an object. */
const SEEN = 0.5;

/** Insets in CSS pixels: for the thumb, and for the line of frames that are done. */
const [SIDE, TOP, BOTTOM] = [8, 10, 12];

/** The scores of all objects along time, with the current frame; frames are chosen on it by pointer. */
export class TimeBar {
  private readonly canvas: HTMLCanvasElement;
  private view: TimeBarView | undefined;

  /** @param seek - called with the frame under the pointer. */
  constructor(canvas: HTMLCanvasElement, seek: (frame: number) => void) {
    this.canvas = canvas;
    let dragging = false;
    canvas.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      dragging = true;
      seek(this.frameAt(event.clientX));
    });
    canvas.addEventListener('pointermove', (event) => {
      if (dragging) seek(this.frameAt(event.clientX));
    });
    for (const over of ['pointerup', 'pointercancel'] as const)
      canvas.addEventListener(over, () => {
        dragging = false;
      });
  }

  private frameAt(clientX: number): number {
    const { left, width } = this.canvas.getBoundingClientRect();
    const last = (this.view?.frames ?? 1) - 1;
    const share = (clientX - left - SIDE) / Math.max(1, width - 2 * SIDE);
    return Math.max(0, Math.min(last, Math.round(share * last)));
  }

  show(view: TimeBarView): void {
    this.view = view;
    const { canvas } = this;
    canvas.ariaValueMax = String(view.frames - 1);
    canvas.ariaValueNow = String(view.current);
    canvas.ariaValueText = `frame ${view.current} of 0 to ${view.frames - 1}`;
    const ratio = window.devicePixelRatio;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (width === 0) return;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const context = canvas.getContext('2d') as CanvasRenderingContext2D;
    context.scale(ratio, ratio);
    drawBar(context, view, { width, height });
  }
}

function drawBar(
  context: CanvasRenderingContext2D,
  view: TimeBarView,
  size: { readonly width: number; readonly height: number },
) {
  const { frames, current, state, chosen, off } = view;
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const x = (frame: number) => SIDE + (frame / Math.max(1, frames - 1)) * (size.width - 2 * SIDE);
  const y = (score: number) => TOP + (1 - score) * (size.height - TOP - BOTTOM);
  // From this score on, a frame shows the object.
  context.strokeStyle = colour('--line');
  context.lineWidth = 1;
  context.setLineDash([3, 3]);
  line(context, [SIDE, y(SEEN)], [size.width - SIDE, y(SEEN)]);
  context.setLineDash([]);
  // Frames on which something is known.
  const floor = size.height - BOTTOM / 2;
  context.lineWidth = 4;
  context.lineCap = 'round';
  line(context, [SIDE, floor], [size.width - SIDE, floor]);
  context.strokeStyle = colour('--faint');
  for (const [from, to] of runsOf(state.frames)) line(context, [x(from), floor], [x(to), floor]);
  const order = [...state.objects].sort((a, b) => Number(a.track === chosen) - Number(b.track === chosen));
  for (const { track } of order)
    if (!off.has(track)) drawScores(context, state, track, { x, y, width: track === chosen ? 3 : 1.75 });
  context.strokeStyle = colour('--accent');
  context.fillStyle = colour('--accent');
  context.lineWidth = 2;
  line(context, [x(current), 2], [x(current), floor]);
  context.beginPath();
  context.arc(x(current), floor, 5, 0, 2 * Math.PI);
  context.fill();
}

interface Axes {
  readonly x: (frame: number) => number;
  readonly y: (score: number) => number;
  readonly width: number;
}

/** An object's score along time, with gaps where it was not followed, and dots where it was marked. */
function drawScores(context: CanvasRenderingContext2D, state: ClipState, track: number, { x, y, width }: Axes): void {
  const ink = `rgb(${trackColour(track).join(' ')})`;
  const known = state.frames.filter((frame) => state.of(frame, track) !== undefined);
  const score = (frame: number) => Math.max(0, Math.min(1, state.of(frame, track)?.object_score ?? 0));
  context.strokeStyle = ink;
  context.fillStyle = ink;
  context.lineWidth = width;
  context.lineJoin = 'round';
  for (const [from, to] of runsOf(known)) {
    context.beginPath();
    context.moveTo(x(from), y(score(from)));
    for (let frame = from + 1; frame <= to; frame++) context.lineTo(x(frame), y(score(frame)));
    // A single frame is a point.
    if (from === to) context.lineTo(x(from) + 0.01, y(score(from)));
    context.stroke();
  }
  for (const frame of known) {
    if (state.of(frame, track)?.marked !== true) continue;
    context.beginPath();
    context.arc(x(frame), y(score(frame)), 2 + width, 0, 2 * Math.PI);
    context.fill();
  }
}

function line(context: CanvasRenderingContext2D, from: readonly [number, number], to: readonly [number, number]): void {
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
}

/** Runs of numbers that follow one another. */
function runsOf(frames: readonly number[]): [from: number, to: number][] {
  const runs: [number, number][] = [];
  for (const frame of frames) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === frame - 1) last[1] = frame;
    else runs.push([frame, frame]);
  }
  return runs;
}
