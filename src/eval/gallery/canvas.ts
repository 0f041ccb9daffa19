import {
  type BinaryMask,
  fitText,
  LINE_HEIGHT,
  paintText,
  type RasterImage,
  type Rgb,
  renderText,
  resizeImage,
  resizeMask,
  type Size,
} from '../../imaging/index.js';

/** A drawable image. */
export interface Canvas extends Size {
  readonly data: Uint8Array;
}

export function blank({ width, height }: Size, [r, g, b]: Rgb): Canvas {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i += 3) data.set([r, g, b], i);
  return { width, height, data };
}

/** The largest size of the same aspect ratio that fits a box. */
export function fitInto({ width, height }: Size, box: Size): Size {
  const scale = Math.min(box.width / width, box.height / height);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** A mask in the colour of its phrase. */
export interface ColouredMask {
  readonly mask: BinaryMask;
  readonly colour: Rgb;
}

/** Draws an image centred in a box of the canvas, with mask outlines and tints on top; the first mask is topmost. */
export function drawTile(
  canvas: Canvas,
  image: RasterImage,
  masks: readonly ColouredMask[],
  { x, y, width, height }: Size & { readonly x: number; readonly y: number },
): void {
  const size = fitInto(image, { width, height });
  const small = resizeImage(image, size);
  const [left, top] = [x + Math.floor((width - size.width) / 2), y + Math.floor((height - size.height) / 2)];
  for (let row = 0; row < size.height; row++)
    canvas.data.set(
      small.data.subarray(row * size.width * 3, (row + 1) * size.width * 3),
      ((top + row) * canvas.width + left) * 3,
    );
  for (const { mask, colour } of [...masks].reverse()) {
    forEachPixel(resizeMask(mask, size), (px, py, edge) => {
      const share = edge ? 1 : 0.3;
      const i = ((top + py) * canvas.width + left + px) * 3;
      for (let c = 0; c < 3; c++)
        canvas.data[i + c] = Math.round((canvas.data[i + c] as number) * (1 - share) + (colour[c] as number) * share);
    });
  }
}

/** Visits the pixels inside a mask, flagging those of its outline, which is two pixels wide. */
export function forEachPixel({ width, height, data }: BinaryMask, visit: (x: number, y: number, edge: boolean) => void): void {
  const inside = (x: number, y: number) => x >= 0 && y >= 0 && x < width && y < height && data[y * width + x] === 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++)
      if (inside(x, y)) visit(x, y, !inside(x - 2, y) || !inside(x + 2, y) || !inside(x, y - 2) || !inside(x, y + 2));
  }
}

/** Draws a line of text, truncated to a width. @param size - font size in pixels. */
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
