import { ADVANCE, LINE_HEIGHT, textPixels } from './font.js';
import { encodePng } from './image.js';
import { type BinaryMask, type BoxXyxy, resizeMask, type Size } from './mask.js';
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

/** Okabe and Ito's colours, which people with any kind of colour vision can tell apart; those that stand out on grey first. */
const PALETTE: readonly Rgb[] = [
  [230, 159, 0],
  [86, 180, 233],
  [0, 158, 115],
  [240, 228, 66],
  [204, 121, 167],
  [213, 94, 0],
  [0, 114, 178],
];

type Rgb = readonly [number, number, number];

/** Shorter side that small images are enlarged to, so that lines and letters are fine against them. */
const MIN_SIDE = 512;

/** How much of a mask's colour covers the image. */
const MASK_SHARE = 0.35;

/** Draws masks, boxes and labels on an image. The same label has the same colour. There are no fonts on a bare machine: letters are drawn from a table. */
export async function drawOverlay(image: RasterImage, items: readonly OverlayItem[]): Promise<Buffer> {
  const factor = Math.max(1, Math.ceil(MIN_SIDE / Math.min(image.width, image.height)));
  const size = { width: image.width * factor, height: image.height * factor };
  const canvas = { ...size, data: Uint8Array.from(resizeImage(image, size).data) };
  const labels = [...new Set(items.map(({ label }) => label))];
  const colourOf = (label: string) => PALETTE[labels.indexOf(label) % PALETTE.length] as Rgb;
  const stroke = Math.max(1, Math.round(Math.min(size.width, size.height) / 256));
  for (const { mask, label } of items) if (mask !== undefined) drawMask(canvas, resizeMask(mask, size), colourOf(label), stroke);
  for (const { boxXyxyPx, label } of items)
    if (boxXyxyPx !== undefined)
      drawBox(canvas, boxXyxyPx.map((v) => Math.round(v * factor)) as unknown as BoxXyxy, colourOf(label), stroke);
  // Labels last: nothing may cover them.
  for (const { boxXyxyPx, label, score } of items) {
    const [x, y] = boxXyxyPx ?? [0, 0];
    drawLabel(
      canvas,
      score === undefined ? label : `${label} ${score.toFixed(2)}`,
      x * factor,
      y * factor,
      colourOf(label),
      stroke,
    );
  }
  return encodePng(canvas);
}

function drawMask({ width, height, data }: RasterImage, mask: BinaryMask, colour: Rgb, stroke: number): void {
  const inside = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && mask.data[y * width + x] === 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (mask.data[y * width + x] === 0) continue;
      const edge = !inside(x - stroke, y) || !inside(x + stroke, y) || !inside(x, y - stroke) || !inside(x, y + stroke);
      const share = edge ? 1 : MASK_SHARE;
      const i = (y * width + x) * 3;
      for (let c = 0; c < 3; c++) data[i + c] = Math.round((data[i + c] as number) * (1 - share) + (colour[c] as number) * share);
    }
  }
}

function drawBox(canvas: RasterImage, [x0, y0, x1, y1]: BoxXyxy, colour: Rgb, stroke: number): void {
  fill(canvas, [x0, y0, x1, y0 + stroke], colour);
  fill(canvas, [x0, y1 - stroke, x1, y1], colour);
  fill(canvas, [x0, y0, x0 + stroke, y1], colour);
  fill(canvas, [x1 - stroke, y0, x1, y1], colour);
}

/** A line of text on its colour, above the given corner or, where there is no room, below it; never over the image's border. */
function drawLabel(canvas: RasterImage, text: string, x: number, y: number, colour: Rgb, stroke: number): void {
  const scale = Math.max(1, Math.min(stroke, Math.floor(canvas.width / (ADVANCE * text.length + 3))));
  const box: Size = { width: (ADVANCE * text.length + 3) * scale, height: (LINE_HEIGHT + 4) * scale };
  const left = Math.round(Math.min(Math.max(0, x), Math.max(0, canvas.width - box.width)));
  const top = Math.round(y >= box.height ? y - box.height : Math.min(y, canvas.height - box.height));
  fill(canvas, [left, top, left + box.width, top + box.height], colour);
  for (const [px, py] of textPixels(text)) {
    const at = [left + (px + 2) * scale, top + (py + 2) * scale] as const;
    fill(canvas, [at[0], at[1], at[0] + scale, at[1] + scale], [0, 0, 0]);
  }
}

function fill({ width, height, data }: RasterImage, [x0, y0, x1, y1]: BoxXyxy, colour: Rgb): void {
  for (let y = Math.max(0, y0); y < Math.min(height, y1); y++)
    for (let x = Math.max(0, x0); x < Math.min(width, x1); x++) data.set(colour, (y * width + x) * 3);
}
