import { encodePng } from '#platform/imaging/png';
import { placeLabels } from './label-layout.js';
import { type BinaryMask, type BoxXyxy, boxOfMask, resizeMask, type Size } from './mask.js';
import { drawAxis, drawScaleBar, fill, type LinePx } from './overlay-scale.js';
import { phraseColour, type Rgb } from './palette.js';
import type { RasterImage } from './raster-image.js';
import { resizeImage } from './resample.js';
import { fitText, LINE_HEIGHT, paintText, renderText, type TextLine, textWidth } from './text-line.js';

/** An object to draw on an image. */
export interface OverlayItem {
  /** Its label; items of one phrase have one colour. */
  readonly phrase: string;
  /** In [0, 1]; written after the phrase. */
  readonly score?: number | undefined;
  /** Written after the score: `32.1 × 18.4 mm`. */
  readonly note?: string | undefined;
  /** Lines across the mask, in pixel edges of the image. */
  readonly axesPx?: readonly LinePx[] | undefined;
  readonly boxXyxyPx?: BoxXyxy | undefined;
  readonly mask?: BinaryMask | undefined;
}

/** Small images are enlarged to this shorter side, so that lines and letters are thin in comparison. */
const MIN_SIDE = 512;

/** Longer side beyond which nothing is enlarged, for elongated images. */
const MAX_SIDE = 4096;

/** Pixels of the shorter side per pixel of line width. */
const SIDE_PER_STROKE = 256;

/** Opacity of masks. */
const MASK_SHARE = 0.35;

/** Font size per pixel of line width, and the smallest legible one, in pixels. */
const TEXT_PER_STROKE = 10;
const MIN_TEXT = 14;

/** Horizontal padding of a label, for a font size of 1. */
const MARGIN = 0.3;

/** Text colour: dark, or light where the background is darker than this. */
const DARK: Rgb = [0, 0, 0];
const LIGHT: Rgb = [255, 255, 255];
const DARK_COLOUR = 110;

/**
 * Draws masks, boxes, axes and labels on an image, and a scale bar where its pixels have a known size; small images are enlarged by an integer factor. Labels stay inside the image and do
 * not overlap as far as there is room. They use the bundled font; characters that it lacks appear as code points, `U+80BF` (see
 * `lettersLacking`).
 *
 * @param phrases - the phrases in the order of their colours. Images shown side by side take the same list, so that a phrase has
 *   one colour in all of them. Default: those of this image.
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
  const coloured = [...new Set([...phrases, ...items.map(({ phrase }) => phrase)])];
  const colourOf = (phrase: string) => phraseColour(coloured, phrase);
  const stroke = Math.max(1, Math.round(Math.min(size.width, size.height) / SIDE_PER_STROKE));
  // The first item, the best one, lies on top.
  for (const { mask, phrase } of [...items].reverse())
    if (mask !== undefined) drawMask(canvas, resizeMask(mask, size), colourOf(phrase), stroke);
  for (const { boxXyxyPx, phrase } of [...items].reverse())
    if (boxXyxyPx !== undefined) drawBox(canvas, scaled(boxXyxyPx, factor), colourOf(phrase), stroke);
  for (const { axesPx = [] } of items)
    for (const [[x0, y0], [x1, y1]] of axesPx)
      drawAxis(
        canvas,
        [
          [x0 * factor, y0 * factor],
          [x1 * factor, y1 * factor],
        ],
        stroke,
      );
  const { spacingMm } = image;
  if (spacingMm !== undefined)
    await drawScaleBar(
      canvas,
      [spacingMm[0] / factor, spacingMm[1] / factor],
      stroke,
      Math.max(MIN_TEXT, TEXT_PER_STROKE * stroke),
    );
  // Labels last, so that nothing covers them.
  const signs = items.map((item) => signOf(item, canvas, stroke, factor));
  const lines = await renderOnce(signs);
  for (const [i, { x, y }] of placeLabels(signs, canvas).entries()) {
    const sign = signs[i] as Sign;
    drawSign(canvas, sign, lines.get(keyOf(sign)) as TextLine, x, y, colourOf((items[i] as OverlayItem).phrase));
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
      // Adds half a level, as storing bytes truncates.
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

/** A label with its rendered size. */
interface Sign extends Size {
  readonly text: string;
  /** In pixels. */
  readonly fontSize: number;
  readonly box: BoxXyxy;
}

function signOf({ phrase, score, note, boxXyxyPx, mask }: OverlayItem, canvas: Size, stroke: number, factor: number): Sign {
  const own = boxXyxyPx ?? (mask && boxOfMask(mask)) ?? [0, 0, 0, 0];
  const known = [score?.toFixed(2), note].filter((text) => text !== undefined).join(', ');
  const suffix = known === '' ? '' : ` ${known}`;
  const wanted = Math.max(MIN_TEXT, TEXT_PER_STROKE * stroke);
  // A long label is shrunk before it is truncated.
  const fitting = Math.floor((wanted * canvas.width) / (textWidth(phrase + suffix, wanted) + 2 * MARGIN * wanted));
  const fontSize = Math.min(wanted, Math.max(MIN_TEXT, fitting), Math.max(1, Math.floor(canvas.height / LINE_HEIGHT)));
  const margins = 2 * marginOf(fontSize);
  const text = fitText(phrase, suffix, fontSize, canvas.width - margins);
  const width = textWidth(text, fontSize) + margins;
  return { text, fontSize, width, height: Math.ceil(LINE_HEIGHT * fontSize), box: scaled(own, factor) };
}

function marginOf(fontSize: number): number {
  return Math.round(MARGIN * fontSize);
}

/** Renders each distinct text once, by {@link keyOf}: many objects may share a label. */
async function renderOnce(signs: readonly Sign[]): Promise<ReadonlyMap<string, TextLine>> {
  const distinct = new Map(signs.map((sign) => [keyOf(sign), sign]));
  const lines = [...distinct].map(async ([key, { text, fontSize }]) => [key, await renderText(text, fontSize)] as const);
  return new Map(await Promise.all(lines));
}

function keyOf({ text, fontSize }: Sign): string {
  return `${fontSize} ${text}`;
}

function drawSign(
  canvas: RasterImage,
  { fontSize, width, height }: Sign,
  line: TextLine,
  left: number,
  top: number,
  colour: Rgb,
): void {
  fill(canvas, [left, top, left + width, top + height], colour);
  const [r, g, b] = colour;
  const ink = 0.299 * r + 0.587 * g + 0.114 * b < DARK_COLOUR ? LIGHT : DARK;
  paintText(canvas, line, left + marginOf(fontSize), top, ink);
}
