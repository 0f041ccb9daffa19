import type { Size } from './mask.js';
import { OverlayFont } from './overlay-font.js';
import type { Rgb } from './palette.js';
import { rasterise } from './text-raster.js';

/** Offset of the baseline from the top and line height, for a font size of 1: leaves room for accents on capitals. */
const BASELINE = 0.97;
export const LINE_HEIGHT = 1.26;

const ELLIPSIS = '…';

/** A rendered line of text: coverage per pixel. */
export interface TextLine extends Size {
  /** 0 to 255, row-major. */
  readonly coverage: Uint8Array;
}

/** The characters of the texts that the font lacks; overlays show them as code points. */
export function lettersLacking(texts: readonly string[]): string[] {
  return OverlayFont.load().lacking(texts.join(' '));
}

/** Width of a line in pixels. @param size - font size in pixels. */
export function textWidth(text: string, size: number): number {
  const font = OverlayFont.load();
  return Math.ceil(font.widthOf(font.spell(text)) * size);
}

/**
 * Truncates a text wider than `room`; an ellipsis before `suffix` stands for the omitted part.
 *
 * @param size - font size in pixels.
 */
export function fitText(text: string, suffix: string, size: number, room: number): string {
  const whole = OverlayFont.load().spell(text + suffix);
  if (textWidth(whole, size) <= room) return whole;
  const letters = [...OverlayFont.load().spell(text)];
  let [kept, tooMany] = [0, letters.length];
  const shortened = (count: number) => `${letters.slice(0, count).join('').trimEnd()}${ELLIPSIS}${suffix}`;
  while (tooMany - kept > 1) {
    const middle = (kept + tooMany) >> 1;
    if (textWidth(shortened(middle), size) <= room) kept = middle;
    else tooMany = middle;
  }
  return shortened(kept);
}

/**
 * Breaks a text between words into lines no wider than `room`; a word that is wider is truncated.
 *
 * @param size - font size in pixels.
 */
export function wrapText(text: string, size: number, room: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = [...lines.slice(-1), word].join(' ');
    if (lines.length > 0 && textWidth(longer, size) <= room) lines[lines.length - 1] = longer;
    else lines.push(fitText(word, '', size, room));
  }
  return lines;
}

/**
 * Renders one line of text with the bundled font.
 *
 * @param size - font size in pixels.
 */
export async function renderText(text: string, size: number): Promise<TextLine> {
  const font = OverlayFont.load();
  const spelt = font.spell(text);
  const width = Math.max(1, textWidth(spelt, size));
  const height = Math.max(1, Math.ceil(LINE_HEIGHT * size));
  return { width, height, coverage: await rasterise(font, spelt, { width, height, size, baseline: BASELINE * size }) };
}

/** Paints a line onto an RGB image, clipped to it. */
export function paintText(
  canvas: Size & { readonly data: Uint8Array },
  { width, height, coverage }: TextLine,
  left: number,
  top: number,
  ink: Rgb,
): void {
  const [fromX, toX] = [Math.max(0, -left), Math.min(width, canvas.width - left)];
  for (let y = Math.max(0, -top); y < Math.min(height, canvas.height - top); y++) {
    for (let x = fromX; x < toX; x++) {
      const share = (coverage[y * width + x] as number) / 255;
      const at = ((top + y) * canvas.width + left + x) * 3;
      for (let c = 0; c < 3; c++)
        canvas.data[at + c] = Math.round((canvas.data[at + c] as number) * (1 - share) + (ink[c] as number) * share);
    }
  }
}
