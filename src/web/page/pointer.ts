import type { Bbox, Layer, Layers } from './layers.js';

export type Tool = 'box' | 'inside' | 'outside';

/** Gestures on the canvas, in image pixels. */
export interface Gestures {
  /** Preview while the pointer is down. */
  draft(bbox: Bbox | undefined): void;
  drawn(bbox: Bbox): void;
  /** While a box is moved or resized. */
  moving(): void;
  moved(layer: Layer): void;
  chosen(layer: Layer | undefined): void;
  point(at: readonly [number, number], inside: boolean): void;
}

/** Hit radius in screen pixels, larger for touch. */
const REACH = { mouse: 10, touch: 24 } as const;

/** Shorter movements are taps, in screen pixels. */
const TAP = 4;

type Drag =
  | { readonly kind: 'draw' }
  | { readonly kind: 'point' }
  | { readonly kind: 'move'; readonly layer: Layer; readonly from: Bbox }
  | { readonly kind: 'pull'; readonly layer: Layer; readonly fixed: readonly [number, number]; readonly from: Bbox };

/** Turns pointer events into gestures. */
export function listen(
  canvas: HTMLCanvasElement,
  layers: Layers,
  size: () => { readonly width: number; readonly height: number },
  tool: () => Tool,
  gestures: Gestures,
): void {
  let drag: Drag | undefined;
  let start: readonly [number, number] = [0, 0];

  const scale = () => canvas.clientWidth / size().width;
  const at = ({ clientX, clientY }: PointerEvent): readonly [number, number] => {
    const { left, top } = canvas.getBoundingClientRect();
    const { width, height } = size();
    return [clamp((clientX - left) / scale(), width), clamp((clientY - top) / scale(), height)];
  };

  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    canvas.setPointerCapture(event.pointerId);
    start = at(event);
    const reach = (event.pointerType === 'mouse' ? REACH.mouse : REACH.touch) / scale();
    drag = tool() === 'box' ? dragOf(layers.chosen, start, reach) : { kind: 'point' };
  });

  canvas.addEventListener('pointermove', (event) => {
    if (drag === undefined) return;
    const to = at(event);
    if (drag.kind === 'draw') gestures.draft(between(start, to));
    if (drag.kind === 'pull') drag.layer.bbox = between(drag.fixed, to);
    if (drag.kind === 'move') drag.layer.bbox = shifted(drag.from, to[0] - start[0], to[1] - start[1], size());
    if (drag.kind === 'pull' || drag.kind === 'move') gestures.moving();
  });

  canvas.addEventListener('pointerup', (event) => {
    const done = drag;
    drag = undefined;
    gestures.draft(undefined);
    if (done === undefined) return;
    const to = at(event);
    const tapped = Math.hypot(to[0] - start[0], to[1] - start[1]) * scale() < TAP;
    if (done.kind === 'point') gestures.point(to, tool() === 'inside');
    else if (tapped) {
      if ('from' in done) done.layer.bbox = done.from;
      gestures.chosen(smallestAt(layers, to));
    } else if (done.kind === 'draw') {
      if (hasArea(between(start, to))) gestures.drawn(between(start, to));
    } else if (hasArea(done.layer.bbox)) gestures.moved(done.layer);
    else {
      done.layer.bbox = done.from;
      gestures.moving();
    }
  });

  canvas.addEventListener('pointercancel', () => {
    if (drag !== undefined && 'from' in drag) drag.layer.bbox = drag.from;
    drag = undefined;
    gestures.draft(undefined);
  });
}

/** Corners of the selected box take precedence over its inside, and its inside over a new box. */
function dragOf(chosen: Layer | undefined, [x, y]: readonly [number, number], reach: number): Drag {
  if (chosen === undefined) return { kind: 'draw' };
  const [left, top, w, h] = chosen.bbox;
  const from = chosen.bbox;
  for (const [cx, ox] of [
    [left, left + w],
    [left + w, left],
  ] as const)
    for (const [cy, oy] of [
      [top, top + h],
      [top + h, top],
    ] as const)
      if (Math.abs(x - cx) <= reach && Math.abs(y - cy) <= reach) return { kind: 'pull', layer: chosen, fixed: [ox, oy], from };
  return within(chosen.bbox, x, y) ? { kind: 'move', layer: chosen, from } : { kind: 'draw' };
}

function smallestAt(layers: Layers, [x, y]: readonly [number, number]): Layer | undefined {
  const under = layers.shown.filter(({ bbox }) => within(bbox, x, y));
  return under.sort((a, b) => a.bbox[2] * a.bbox[3] - b.bbox[2] * b.bbox[3])[0];
}

function within([left, top, w, h]: Bbox, x: number, y: number): boolean {
  return x >= left && y >= top && x <= left + w && y <= top + h;
}

function between([ax, ay]: readonly [number, number], [bx, by]: readonly [number, number]): Bbox {
  return [Math.min(ax, bx), Math.min(ay, by), Math.abs(ax - bx), Math.abs(ay - by)];
}

function shifted([x, y, w, h]: Bbox, dx: number, dy: number, size: { readonly width: number; readonly height: number }): Bbox {
  return [clamp(x + dx, size.width - w), clamp(y + dy, size.height - h), w, h];
}

function hasArea([, , w, h]: Bbox): boolean {
  return w >= 1 && h >= 1;
}

function clamp(value: number, most: number): number {
  return Math.max(0, Math.min(most, value));
}
