import { ADVANCE, LINE_HEIGHT, textPixels } from './font.js';
import { placeLabels } from './label-layout.js';
import { type BinaryMask, type BoxXyxy, boxOfMask, resizeMask, type Size } from './mask.js';
import { phraseColour, type Rgb } from './palette.js';
import { encodePng } from './png.js';
import type { RasterImage } from './raster-image.js';
import { resizeImage } from './resample.js';

/** Something to be shown on an image. */
export interface OverlayItem {
  readonly label: string;
  /** In [0, 1]; written behind the label. */
  readonly score?: number;
  readonly boxXyxyPx?: BoxXyxy;
  readonly mask?: BinaryMask;
}

/** Shorter side that small images are enlarged to, so that lines and letters are fine against them. */
const MIN_SIDE = 512;

/** Longer side beyond which nothing is enlarged: an image may be very oblong. */
const MAX_SIDE = 4096;

/** Pixels of the shorter side for each pixel of a line. */
const SIDE_PER_STROKE = 256;

/** How much of a mask's colour covers the image. */
const MASK_SHARE = 0.35;

/** Font pixels of colour around a label's letters. */
const MARGIN = 2;

/** Letters on their colour: dark, or light where the colour is darker than this. */
const DARK: Rgb = [0, 0, 0];
const LIGHT: Rgb = [255, 255, 255];
const DARK_COLOUR = 110;

/**
 * Draws masks, boxes and labels on an image, small images enlarged by an integer factor. Labels lie inside the picture and, as
 * long as there is room, not over each other. There are no fonts on a bare machine: letters are drawn from a table.
 *
 * @param phrases - the labels in the order of their colours. Pictures that are looked at side by side take the same list, so that
 *   a phrase has one colour in all of them. Default: the labels of this picture.
 * @returns PNG bytes.
 */
export async function drawOverlay(
  image: RasterImage,
  items: readonly OverlayItem[],
  phrases: readonly string[] = [],
): Promise<Buffer> {
  const factor = enlargement(image);
  const size = { width: image.width * factor, height: image.height * factor };
  const canvas = { ...size, data: Uint8Array.from(resizeImage(image, size).data) };
  const labels = [...new Set([...phrases, ...items.map(({ label }) => label)])];
  const colourOf = (label: string) => phraseColour(labels, label);
  const stroke = Math.max(1, Math.round(Math.min(size.width, size.height) / SIDE_PER_STROKE));
  // The first of the items, the best one, lies on top.
  for (const { mask, label } of [...items].reverse())
    if (mask !== undefined) drawMask(canvas, resizeMask(mask, size), colourOf(label), stroke);
  for (const { boxXyxyPx, label } of [...items].reverse())
    if (boxXyxyPx !== undefined) drawBox(canvas, scaled(boxXyxyPx, factor), colourOf(label), stroke);
  // Labels last: nothing may cover them.
  const signs = items.map((item) => signOf(item, canvas, stroke, factor));
  for (const [i, { x, y }] of placeLabels(signs, canvas).entries()) {
    const sign = signs[i] as Sign;
    drawSign(canvas, sign, x, y, colourOf((items[i] as OverlayItem).label));
  }
  return encodePng(canvas);
}

function enlargement({ width, height }: Size): number {
  const wanted = Math.ceil(MIN_SIDE / Math.min(width, height));
  const allowed = Math.floor(MAX_SIDE / Math.max(width, height));
  return Math.max(1, Math.min(wanted, allowed));
}

function scaled([x0, y0, x1, y1]: BoxXyxy, factor: number): BoxXyxy {
  return [Math.round(x0 * factor), Math.round(y0 * factor), Math.round(x1 * factor), Math.round(y1 * factor)];
}

function drawMask({ width, height, data }: RasterImage, mask: BinaryMask, colour: Rgb, stroke: number): void {
  const inside = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && mask.data[y * width + x] === 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (mask.data[y * width + x] === 0) continue;
      const edge = !inside(x - stroke, y) || !inside(x + stroke, y) || !inside(x, y - stroke) || !inside(x, y + stroke);
      const share = edge ? 1 : MASK_SHARE;
      const i = (y * width + x) * 3;
      // Half a level more, as bytes are cut off.
      for (let c = 0; c < 3; c++) data[i + c] = (data[i + c] as number) * (1 - share) + (colour[c] as number) * share + 0.5;
    }
  }
}

function drawBox(canvas: RasterImage, [x0, y0, x1, y1]: BoxXyxy, colour: Rgb, stroke: number): void {
  fill(canvas, [x0, y0, x1, y0 + stroke], colour);
  fill(canvas, [x0, y1 - stroke, x1, y1], colour);
  fill(canvas, [x0, y0, x0 + stroke, y1], colour);
  fill(canvas, [x1 - stroke, y0, x1, y1], colour);
}

/** A label with the size that it takes. */
interface Sign extends Size {
  readonly text: string;
  /** Pixels for each font pixel. */
  readonly scale: number;
  readonly box: BoxXyxy;
}

function signOf({ label, score, boxXyxyPx, mask }: OverlayItem, canvas: Size, stroke: number, factor: number): Sign {
  const own = boxXyxyPx ?? (mask && boxOfMask(mask)) ?? [0, 0, 0, 0];
  const suffix = score === undefined ? '' : ` ${score.toFixed(2)}`;
  const widthOf = (letters: number) => ADVANCE * letters - 1 + 2 * MARGIN;
  const rows = LINE_HEIGHT + 2 * MARGIN;
  const fitting = Math.min(canvas.width / widthOf(label.length + suffix.length), canvas.height / rows);
  // Letters of at least two pixels where the canvas allows: smaller ones are hard to read in a big picture.
  const scale = Math.max(1, Math.min(stroke, Math.max(Math.floor(fitting), Math.min(stroke, 2))));
  const room = Math.max(1, Math.floor((canvas.width / scale - 2 * MARGIN + 1) / ADVANCE));
  const text = label.length + suffix.length <= room ? label + suffix : shortened(label, suffix, room);
  return { text, scale, width: widthOf(text.length) * scale, height: rows * scale, box: scaled(own, factor) };
}

/** The score stays, the label's end goes. */
function shortened(label: string, suffix: string, room: number): string {
  const dots = '..';
  return `${label.slice(0, Math.max(0, room - suffix.length - dots.length))}${dots}${suffix}`.slice(0, room);
}

function drawSign(canvas: RasterImage, { text, scale, width, height }: Sign, left: number, top: number, colour: Rgb): void {
  fill(canvas, [left, top, left + width, top + height], colour);
  const [r, g, b] = colour;
  const ink = 0.299 * r + 0.587 * g + 0.114 * b < DARK_COLOUR ? LIGHT : DARK;
  for (const [px, py] of textPixels(text)) {
    const at = [left + (px + MARGIN) * scale, top + (py + MARGIN) * scale] as const;
    fill(canvas, [at[0], at[1], at[0] + scale, at[1] + scale], ink);
  }
}

function fill({ width, height, data }: RasterImage, [x0, y0, x1, y1]: BoxXyxy, [r, g, b]: Rgb): void {
  const [left, top, right, bottom] = [Math.max(0, x0), Math.max(0, y0), Math.min(width, x1), Math.min(height, y1)];
  for (let y = top; y < bottom; y++) {
    for (let x = left, i = (y * width + left) * 3; x < right; x++, i += 3) {
      data[i] = r;
      data[i + 1] = g;
      data[i + 2] = b;
    }
  }
}
