import sharp from 'sharp';
import type { Size } from './mask.js';
import type { OverlayFont } from './overlay-font.js';

/** Text is drawn at least this large and reduced: at the size of labels, advances would be rounded to pixels. In pixels. */
const LEAST_DRAWN = 128;

/** Times that text is enlarged at least. */
const LEAST_SCALE = 4;

/** Cairo draws no wider images. */
const MOST_WIDTH = 32_000;

/** Where to draw a line of text. */
interface Placed extends Size {
  /** Font size in pixels. */
  readonly size: number;
  /** Offset of the baseline from the top in pixels. */
  readonly baseline: number;
}

/**
 * Draws a line of text with the bundled font. Pango loads the font's file by itself, whatever was drawn before in this process;
 * by its name in an SVG, librsvg would only find it where no other text had fixed its fonts.
 *
 * @param spelt - letters that the font has.
 * @returns coverage, 0 to 255, row-major.
 */
export async function rasterise(
  font: OverlayFont,
  spelt: string,
  { width, height, size, baseline }: Placed,
): Promise<Uint8Array> {
  const wanted = Math.max(LEAST_SCALE, Math.ceil(LEAST_DRAWN / size));
  const scale = Math.max(1, Math.min(wanted, Math.floor(MOST_WIDTH / (width + 2 * size))));
  const drawn = await drawBehindBar(font, spelt, size * scale);
  const coverage = new Uint8Array(width * height);
  const [left, top] = [drawn.originX, drawn.baseline - Math.round(baseline * scale)];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let dy = 0; dy < scale; dy++)
        for (let dx = 0; dx < scale; dx++) sum += drawn.at(left + x * scale + dx, top + y * scale + dy);
      coverage[y * width + x] = Math.round(sum / (scale * scale));
    }
  return coverage;
}

/** A line of text as it is drawn, and where it starts. In pixels. */
interface Drawn {
  readonly originX: number;
  readonly baseline: number;
  /** Coverage of a pixel; 0 outside. */
  readonly at: (x: number, y: number) => number;
}

/** libvips crops what it draws to the ink: the bar, whose outline is known, shows where the text is. */
async function drawBehindBar(font: OverlayFont, spelt: string, px: number): Promise<Drawn> {
  const text = { text: escaped(`${BAR}${spelt}`), font: `${font.family} ${px}`, fontfile: font.file, dpi: 72 };
  const { data, info } = await sharp({ text }).extractChannel(0).raw().toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number) =>
    x < 0 || y < 0 || x >= info.width || y >= info.height ? 0 : (data[y * info.width + x] as number);
  const rows = Array.from({ length: info.height }, (_, y) => y);
  // The first column may be covered in part only; the second is within the bar.
  const barTop = rows.find((y) => at(1, y) > 127) ?? 0;
  const barLeft = 1 - at(0, barTop + 2) / 255;
  // Pango places letters on pixels.
  const advance = [...BAR].reduce((sum, letter) => sum + Math.round(font.widthOf(letter) * px), 0);
  return { at, originX: Math.round(barLeft - font.barLeft * px) + advance, baseline: Math.round(barTop + font.barTop * px) };
}

/** The space keeps combining marks at the start of a text from the bar. */
const BAR = '| ';

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

/** Pango reads markup. */
function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] as string);
}
