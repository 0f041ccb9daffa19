import type { SpacingMm } from './calibration.js';
import type { BoxXyxy } from './mask.js';
import type { Rgb } from './palette.js';
import type { RasterImage } from './raster-image.js';
import { scaleBarOf } from './scale-bar.js';
import { paintText, renderText, textWidth } from './text-line.js';

/** A straight line between two points in pixel edges. */
export type LinePx = readonly [from: readonly [number, number], to: readonly [number, number]];

const LIGHT: Rgb = [255, 255, 255];
const DARK: Rgb = [0, 0, 0];

/** Distance of the bar from the edges, and height of its end marks, per pixel of line width. */
const [INSET, MARK] = [6, 3];

/** Pixels that differ less in width and height get one bar, for both directions. */
const SQUARE = 0.01;

/** Draws a light line with a dark rim, so that it shows on any background. */
export function drawAxis(canvas: RasterImage, line: LinePx, stroke: number): void {
  drawLine(canvas, line, 1.5 * stroke, DARK);
  drawLine(canvas, line, 0.75 * stroke, LIGHT);
}

/**
 * Draws a scale bar into the lower left corner, with its length. Where pixels are not square, a second bar of the same length stands
 * upright.
 *
 * @param spacingMm - of the canvas.
 */
export async function drawScaleBar(canvas: RasterImage, spacingMm: SpacingMm, stroke: number, fontSize: number): Promise<void> {
  const { mm, lengthPx } = scaleBarOf(canvas.width, spacingMm);
  const [left, bottom] = [INSET * stroke, canvas.height - INSET * stroke];
  const right = left + Math.round(lengthPx[0]);
  const mark = MARK * stroke;
  const bars: BoxXyxy[] = [
    [left, bottom - stroke, right, bottom],
    [left, bottom - mark, left + stroke, bottom],
    [right - stroke, bottom - mark, right, bottom],
  ];
  const squarish = Math.abs(spacingMm[0] / spacingMm[1] - 1) < SQUARE;
  if (!squarish) {
    const top = bottom - Math.round(lengthPx[1]);
    bars.push([left, top, left + stroke, bottom], [left, top, left + mark, top + stroke]);
  }
  const rim = Math.max(1, Math.round(stroke / 2));
  for (const [x0, y0, x1, y1] of bars) fill(canvas, [x0 - rim, y0 - rim, x1 + rim, y1 + rim], DARK);
  for (const bar of bars) fill(canvas, bar, LIGHT);
  const text = `${mm} mm`;
  const line = await renderText(text, fontSize);
  const at = [left + 2 * stroke, bottom - mark - Math.round(1.2 * fontSize)] as const;
  fill(canvas, [at[0] - rim, at[1], at[0] + textWidth(text, fontSize) + rim, at[1] + line.height], DARK);
  paintText(canvas, line, at[0], at[1], LIGHT);
}

/** Paints all pixels within a distance of a line. */
function drawLine(canvas: RasterImage, [[x0, y0], [x1, y1]]: LinePx, radius: number, colour: Rgb): void {
  const squared = (x1 - x0) ** 2 + (y1 - y0) ** 2;
  const [left, right] = [Math.min(x0, x1) - radius, Math.max(x0, x1) + radius];
  const [top, bottom] = [Math.min(y0, y1) - radius, Math.max(y0, y1) + radius];
  for (let y = Math.max(0, Math.floor(top)); y < Math.min(canvas.height, bottom); y++)
    for (let x = Math.max(0, Math.floor(left)); x < Math.min(canvas.width, right); x++) {
      const [px, py] = [x + 0.5 - x0, y + 0.5 - y0];
      const along = squared === 0 ? 0 : Math.max(0, Math.min(1, (px * (x1 - x0) + py * (y1 - y0)) / squared));
      if (Math.hypot(px - along * (x1 - x0), py - along * (y1 - y0)) > radius) continue;
      canvas.data.set(colour, (y * canvas.width + x) * 3);
    }
}

/** Paints a box, as far as it lies on the canvas. */
export function fill({ width, height, data }: RasterImage, [x0, y0, x1, y1]: BoxXyxy, [r, g, b]: Rgb): void {
  const [left, top, right, bottom] = [Math.max(0, x0), Math.max(0, y0), Math.min(width, x1), Math.min(height, y1)];
  for (let y = top; y < bottom; y++) {
    for (let x = left, i = (y * width + left) * 3; x < right; x++, i += 3) {
      data[i] = r;
      data[i + 1] = g;
      data[i + 2] = b;
    }
  }
}
