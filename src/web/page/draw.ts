import { scaleBarOf } from '../../imaging/scale-bar.js';
import type { Bbox, Layer, Layers } from './layers.js';

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** Side of the corner handles of the selected box, in screen pixels. */
const HANDLE = 12;

/** What {@link drawScene} draws besides image and layers. */
interface SceneOptions {
  readonly scale: number;
  readonly line: number;
  readonly draft?: Bbox | undefined;
  readonly handles?: boolean;
  /** Size of a pixel, for the scale bar. */
  readonly spacingMm?: readonly [number, number] | null | undefined;
}

/** Draws the image, all visible layers with their axes, and a scale bar where the size of a pixel is known. */
export function drawScene(
  context: Context,
  image: ImageBitmap,
  layers: Layers,
  { scale, line, draft, handles = true, spacingMm }: SceneOptions,
): void {
  const [width, height] = [image.width * scale, image.height * scale];
  context.clearRect(0, 0, width, height);
  context.imageSmoothingEnabled = true;
  context.drawImage(image, 0, 0, width, height);
  // The best layer is topmost.
  const shown = [...layers.shown].reverse();
  context.imageSmoothingEnabled = false;
  for (const { paint } of shown) if (paint !== null) context.drawImage(paint, 0, 0, width, height);
  const ink = (layer: Layer) => `rgb(${layers.colour(layer).join(' ')})`;
  for (const layer of shown) {
    context.strokeStyle = ink(layer);
    context.lineWidth = layer === layers.chosen ? 2 * line : line;
    strokeBox(context, layer.bbox, scale);
    drawAxes(context, layer, scale, line);
    for (const { at, inside } of layer.points) drawPoint(context, at, inside, scale, line);
  }
  if (spacingMm != null) drawScaleBar(context, spacingMm, scale, line);
  for (const layer of shown) drawSign(context, layer, ink(layer), scale, line);
  if (handles && layers.chosen !== undefined && shown.includes(layers.chosen))
    drawHandles(context, layers.chosen.bbox, scale, line);
  if (draft !== undefined) {
    context.strokeStyle = '#fff';
    context.lineWidth = line;
    strokeBox(context, draft, scale);
  }
}

function strokeBox(context: Context, [x, y, w, h]: Bbox, scale: number): void {
  context.strokeRect(x * scale, y * scale, w * scale, h * scale);
}

/** The long and the short axis, light on dark. */
function drawAxes(context: Context, { measured: { measures } }: Layer, scale: number, line: number): void {
  if (measures === null) return;
  for (const [width, style] of [
    [2 * line, '#000'],
    [line, '#fff'],
  ] as const) {
    context.lineWidth = width;
    context.strokeStyle = style;
    for (const [from, to] of [measures.long_axis_px, measures.short_axis_px]) {
      context.beginPath();
      context.moveTo(from[0] * scale, from[1] * scale);
      context.lineTo(to[0] * scale, to[1] * scale);
      context.stroke();
    }
  }
}

function drawScaleBar(context: Context, spacingMm: readonly [number, number], scale: number, line: number): void {
  const { width, height } = context.canvas;
  const {
    mm,
    lengthPx: [length],
  } = scaleBarOf(width, [spacingMm[0] / scale, spacingMm[1] / scale]);
  const size = 7 * line;
  const [left, top] = [size, height - 1.5 * size];
  context.font = `${size}px system-ui, sans-serif`;
  context.fillStyle = 'rgb(0 0 0 / 60%)';
  context.fillRect(left - size / 2, top - 1.5 * size, Math.max(length, context.measureText(`${mm} mm`).width) + size, 2.2 * size);
  context.fillStyle = '#fff';
  context.fillRect(left, top, length, line);
  context.fillText(`${mm} mm`, left, top - size / 2);
}

function drawPoint(context: Context, [x, y]: readonly [number, number], inside: boolean, scale: number, line: number): void {
  context.beginPath();
  context.arc(x * scale, y * scale, 3 * line, 0, 2 * Math.PI);
  context.fillStyle = inside ? '#2ecc71' : '#e74c3c';
  context.strokeStyle = '#fff';
  context.lineWidth = line;
  context.fill();
  context.stroke();
}

function drawSign(context: Context, { phrase, score, bbox: [x, y] }: Layer, ink: string, scale: number, line: number): void {
  const size = 7 * line;
  context.font = `${size}px system-ui, sans-serif`;
  const text = score === null ? phrase : `${phrase} ${score.toFixed(2)}`;
  const width = context.measureText(text).width + size;
  const left = Math.max(0, Math.min(x * scale, context.canvas.width - width));
  const top = Math.max(0, y * scale - 1.5 * size);
  context.fillStyle = ink;
  context.fillRect(left, top, width, 1.5 * size);
  context.fillStyle = '#000';
  context.fillText(text, left + size / 2, top + 1.1 * size);
}

function drawHandles(context: Context, [x, y, w, h]: Bbox, scale: number, line: number): void {
  const side = (HANDLE / 2) * line;
  context.fillStyle = '#fff';
  for (const cx of [x, x + w])
    for (const cy of [y, y + h]) context.fillRect(cx * scale - side / 2, cy * scale - side / 2, side, side);
}
