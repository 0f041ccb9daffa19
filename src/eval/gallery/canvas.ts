import {
  type BinaryMask,
  fitText,
  LINE_HEIGHT,
  paintText,
  type RasterImage,
  renderText,
  resizeImage,
  resizeMask,
  type Size,
} from '../../processing/index.js';

export type Rgb = readonly [number, number, number];

/** A picture that is drawn into. */
export interface Canvas extends Size {
  readonly data: Uint8Array;
}

export function blank({ width, height }: Size, [r, g, b]: Rgb): Canvas {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i += 3) data.set([r, g, b], i);
  return { width, height, data };
}

/** The size of something that keeps its proportions within a box. */
export function fitInto({ width, height }: Size, box: Size): Size {
  const scale = Math.min(box.width / width, box.height / height);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** Puts an image into a box of the canvas, in its middle, with the outline and a tint of a mask over it. */
export function drawTile(
  canvas: Canvas,
  image: RasterImage,
  mask: BinaryMask | undefined,
  { x, y, width, height }: Size & { readonly x: number; readonly y: number },
  colour: Rgb,
): void {
  const size = fitInto(image, { width, height });
  const small = resizeImage(image, size);
  const [left, top] = [x + Math.floor((width - size.width) / 2), y + Math.floor((height - size.height) / 2)];
  for (let row = 0; row < size.height; row++)
    canvas.data.set(
      small.data.subarray(row * size.width * 3, (row + 1) * size.width * 3),
      ((top + row) * canvas.width + left) * 3,
    );
  if (mask === undefined) return;
  const fitted = resizeMask(mask, size);
  const inside = (px: number, py: number) =>
    px >= 0 && py >= 0 && px < size.width && py < size.height && fitted.data[py * size.width + px] === 1;
  for (let py = 0; py < size.height; py++) {
    for (let px = 0; px < size.width; px++) {
      if (!inside(px, py)) continue;
      const edge = !inside(px - 2, py) || !inside(px + 2, py) || !inside(px, py - 2) || !inside(px, py + 2);
      const share = edge ? 1 : 0.3;
      const i = ((top + py) * canvas.width + left + px) * 3;
      for (let c = 0; c < 3; c++)
        canvas.data[i + c] = Math.round((canvas.data[i + c] as number) * (1 - share) + (colour[c] as number) * share);
    }
  }
}

/** Writes a line of text, cut to a width. @param size - of the font, in pixels. */
export async function drawText(
  canvas: Canvas,
  text: string,
  x: number,
  y: number,
  maxWidth: number,
  size: number,
  colour: Rgb,
): Promise<void> {
  paintText(canvas, await renderText(fitText(text, '', size, maxWidth), size), x, Math.round(y), colour);
}

/** Height of a line of text. */
export function lineHeight(size: number): number {
  return Math.ceil(LINE_HEIGHT * size);
}
