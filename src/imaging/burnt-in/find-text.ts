import type { RasterImage } from '../raster-image.js';
import { type Blob, type BlobSizes, findBlobs } from './blobs.js';
import { isFlow } from './flow.js';
import { brightness, darkest, doubled, inverted, type Plane, saturation } from './plane.js';
import { extended, groupRows, height, type TextRow } from './text-rows.js';

/** A box around burnt-in text. Pixels; bounds are inclusive. */
export interface TextBox {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
  /** Whether few or unclear glyphs speak for it: echoes may look so. */
  readonly uncertain: boolean;
}

/** Thresholds at which letters are searched. A letter is separate at those between its surroundings and itself. */
const LEVELS = [40, 64, 88, 112, 136, 160, 184, 208, 232];

/** Thresholds of colourfulness. */
const COLOURS = [48, 96, 144, 192];

/** Lowest contrast and flatness of a letter. */
const [CONTRAST, FLAT] = [40, 0.34];

/** The same for letters that continue a row. */
const [WEAK_CONTRAST, WEAK_FLAT] = [30, 0.28];

/** Coloured letters are as flat as this. */
const FLAT_COLOUR = 0.55;

/** Height up to which letters may touch, in pixels of the doubled image. */
const TOUCHING = 56;

const [MIN_HEIGHT, MIN_GLYPHS, CERTAIN_GLYPHS] = [4, 3, 4];

/**
 * Finds text drawn into an image: rows of small bright (or dark, or coloured) shapes of one level and sharp edges.
 *
 * @param frames - frames of one clip, or a single image; all of one size.
 */
export function findText(frames: readonly RasterImage[]): TextBox[] {
  const [{ width, height: tall }] = frames as [RasterImage];
  // Twice the size: letters of ten pixels have strokes of one.
  const sizes: BlobSizes = {
    minHeight: 2 * MIN_HEIGHT,
    maxHeight: 2 * Math.max(24, Math.round(0.08 * Math.max(width, tall))),
    maxWidth: width,
    reach: 3,
    minFlat: WEAK_FLAT,
  };
  const planes = frames.map(brightness);
  const still = planes.length > 1 ? [darkest(planes)] : [];
  const bright = [...planes, ...still].flatMap((plane, i) => {
    const rows = rowsAt(doubled(plane), LEVELS, sizes, MIN_GLYPHS);
    const frame = frames[i];
    return frame === undefined ? rows : rows.filter((row) => !isFlow(frame, boxOf(row, width, tall)));
  });
  const dark = planes.slice(0, 1).flatMap((plane) => rowsAt(doubled(inverted(plane)), LEVELS, sizes, MIN_GLYPHS + 1));
  const coloured = frames
    .slice(0, 2)
    .flatMap((frame) => rowsAt(doubled(saturation(frame)), COLOURS, sizes, MIN_GLYPHS + 1))
    // Flow is coloured too, but not evenly.
    .filter(({ flat }) => flat >= FLAT_COLOUR);
  return merged([...bright, ...dark, ...coloured].map((row) => boxOf(row, width, tall)));
}

function rowsAt(plane: Plane, levels: readonly number[], sizes: BlobSizes, glyphs: number): TextRow[] {
  return levels.flatMap((level) => {
    const blobs = findBlobs(plane, level, sizes).filter(isShape);
    const letters = blobs.filter(({ contrast, flat }) => contrast >= CONTRAST && flat >= FLAT);
    const rows = groupRows(letters).filter((row) => row.glyphs >= glyphs && isRow(row));
    return rows.map((row) => extended(row, blobs));
  });
}

function isShape({ contrast, flat, area, x0, x1, y0, y1, strokes }: Blob): boolean {
  if (contrast < WEAK_CONTRAST) return false;
  const [w, h] = [x1 - x0 + 1, y1 - y0 + 1];
  // A wide blob is touching letters or a line; letters of large print do not touch.
  if (w > 1.8 * h && (strokes < (0.5 * w) / h || h > TOUCHING || w > 16 * h || flat < 0.45)) return false;
  return area >= 0.12 * w * h;
}

function isRow({ aligned, x0, x1, y0, y1 }: TextRow): boolean {
  return aligned >= 0.6 && x1 - x0 >= 1.1 * (y1 - y0);
}

function boxOf(row: TextRow, width: number, tall: number): TextBox {
  const pad = 2 + Math.round(0.12 * height(row));
  return {
    x0: Math.max(0, (row.x0 >> 1) - 2 * pad),
    y0: Math.max(0, (row.y0 >> 1) - pad),
    x1: Math.min(width - 1, (row.x1 >> 1) + 2 * pad),
    y1: Math.min(tall - 1, (row.y1 >> 1) + pad),
    uncertain: row.glyphs < CERTAIN_GLYPHS || row.flat < 0.5 || row.contrast < 60,
  };
}

/** A union of boxes is at most so much larger than the larger of them: chains of unions would grow over echoes. */
const GROWTH = 1.3;

/** Unites boxes of the same row, found at several thresholds. A union is certain if a large part of it is. */
function merged(boxes: readonly TextBox[]): TextBox[] {
  const out: TextBox[] = [];
  for (const box of [...boxes].sort((a, b) => areaOf(b) - areaOf(a))) {
    const at = out.findIndex(
      (other) => shared(box, other) > 0.7 * areaOf(box) && areaOf(joined(box, other)) <= GROWTH * areaOf(other),
    );
    const other = out[at];
    if (other === undefined) out.push(box);
    else out[at] = { ...joined(other, box), uncertain: other.uncertain && (box.uncertain || areaOf(box) < 0.4 * areaOf(other)) };
  }
  return out;
}

function joined(a: TextBox, b: TextBox): TextBox {
  return { ...a, x0: Math.min(a.x0, b.x0), y0: Math.min(a.y0, b.y0), x1: Math.max(a.x1, b.x1), y1: Math.max(a.y1, b.y1) };
}

function areaOf({ x0, y0, x1, y1 }: TextBox): number {
  return (x1 - x0 + 1) * (y1 - y0 + 1);
}

function shared(a: TextBox, b: TextBox): number {
  const w = Math.min(a.x1, b.x1) - Math.max(a.x0, b.x0) + 1;
  const h = Math.min(a.y1, b.y1) - Math.max(a.y0, b.y0) + 1;
  return w > 0 && h > 0 ? w * h : 0;
}
