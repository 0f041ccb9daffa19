import type { Blob } from './blobs.js';

/** A row of glyphs. Bounds are inclusive. */
export interface TextRow {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
  /** Median height and level of its glyphs. */
  readonly tall: number;
  readonly level: number;
  /** Number of letters, estimated for those that touch. */
  readonly glyphs: number;
  /** Mean flatness of its glyphs, see {@link Blob.flat}. */
  readonly flat: number;
  readonly contrast: number;
  /** Fraction of glyphs that stand on the baseline or reach the top line. */
  readonly aligned: number;
}

/** Glyphs of a row differ in height by this factor at most: small letters with and without ascenders, capitals. */
const HEIGHTS = 2.1;

/** Gap between glyphs of a row, in heights: a space at most. */
const GAP = 1.3;

/** Difference in level between glyphs of a row. */
const LEVELS = 28;

/** How alike neighbours of a row are: first as glyphs of one line in any case, then, where lines ran together, more strictly. */
interface Likeness {
  /** Highest ratio of heights. */
  readonly heights: number;
  /** Least vertical overlap, in heights of the smaller one. */
  readonly overlap: number;
}

const [LOOSE, STRICT]: readonly [Likeness, Likeness] = [
  { heights: HEIGHTS, overlap: 0.6 },
  { heights: 1.5, overlap: 0.85 },
];

/** A row is at most so much taller than its median glyph: ascenders and descenders. */
const TALL = 1.9;

/** Groups blobs of similar height and level that stand side by side. Heaps that are no line are left out. */
export function groupRows(blobs: readonly Blob[]): TextRow[] {
  return chained(blobs, LOOSE).flatMap((group) => {
    if (isLine(group)) return [rowOf(group)];
    return chained(group, STRICT).filter(isLine).map(rowOf);
  });
}

function isLine(blobs: readonly Blob[]): boolean {
  const tall = median(blobs.map(height));
  return Math.max(...blobs.map(({ y1 }) => y1)) - Math.min(...blobs.map(({ y0 }) => y0)) + 1 <= TALL * tall + 2;
}

function chained(blobs: readonly Blob[], likeness: Likeness): Blob[][] {
  const sorted = [...blobs].sort((a, b) => a.x0 - b.x0);
  const parent = sorted.map((_, i) => i);
  const root = (i: number): number => {
    let at = i;
    while (parent[at] !== at) at = parent[at] = parent[parent[at] as number] as number;
    return at;
  };
  const reach = Math.max(0, ...sorted.map((blob) => blob.x1 - blob.x0 + 2 * height(blob)));
  for (const [i, a] of sorted.entries())
    for (let j = i + 1; j < sorted.length; j++) {
      const b = sorted[j] as Blob;
      if (b.x0 - a.x0 > reach) break;
      if (besides(a, b, likeness)) parent[root(i)] = root(j);
    }
  const groups = new Map<number, Blob[]>();
  for (const [i, blob] of sorted.entries()) {
    const own = groups.get(root(i));
    if (own === undefined) groups.set(root(i), [blob]);
    else own.push(blob);
  }
  return [...groups.values()];
}

function besides(a: Blob, b: Blob, { heights, overlap }: Likeness): boolean {
  const [ha, hb] = [height(a), height(b)];
  if (Math.max(ha, hb) > heights * Math.min(ha, hb) + 1) return false;
  if (Math.abs(a.level - b.level) > LEVELS) return false;
  const shared = Math.min(a.y1, b.y1) - Math.max(a.y0, b.y0) + 1;
  if (shared < overlap * Math.min(ha, hb)) return false;
  return Math.max(a.x0, b.x0) - Math.min(a.x1, b.x1) - 1 <= GAP * Math.max(ha, hb) + 1;
}

function rowOf(blobs: readonly Blob[]): TextRow {
  const tall = median(blobs.map(height));
  const sum = (of: (blob: Blob) => number) => blobs.reduce((total, blob) => total + of(blob), 0);
  const [bottom, top] = [median(blobs.map(({ y1 }) => y1)), median(blobs.map(({ y0 }) => y0))];
  const near = 0.12 * tall + 0.5;
  return {
    x0: Math.min(...blobs.map(({ x0 }) => x0)),
    y0: Math.min(...blobs.map(({ y0 }) => y0)),
    x1: Math.max(...blobs.map(({ x1 }) => x1)),
    y1: Math.max(...blobs.map(({ y1 }) => y1)),
    tall,
    level: median(blobs.map(({ level }) => level)),
    glyphs: sum((blob) => glyphsOf(blob, tall)),
    flat: sum(({ flat }) => flat) / blobs.length,
    contrast: sum(({ contrast }) => contrast) / blobs.length,
    aligned: sum(({ y0, y1 }) => Number(Math.abs(y1 - bottom) <= near || Math.abs(y0 - top) <= near)) / blobs.length,
  };
}

/** A wide blob counts as several touching letters if it has as many strokes. */
function glyphsOf({ x0, x1, strokes }: Blob, tall: number): number {
  const wide = (x1 - x0 + 1) / (0.75 * tall);
  return Math.max(1, Math.min(Math.round(wide), Math.round(strokes / 1.4)));
}

/** Gap to a further word of a row, in heights. */
const WORD_GAP = 2.4;

/** Extends a row by letters to its left and right, of the same size and level, that are too few or too faint to be found alone. */
export function extended(row: TextRow, letters: readonly Blob[]): TextRow {
  let { x0, y0, x1, y1, glyphs } = row;
  const tall = row.tall;
  const fitting = letters.filter(
    (blob) =>
      height(blob) <= HEIGHTS * tall &&
      HEIGHTS * height(blob) >= tall &&
      Math.abs(blob.level - row.level) <= LEVELS &&
      Math.min(blob.y1, row.y1) - Math.max(blob.y0, row.y0) + 1 >= 0.75 * height(blob) &&
      blob.x1 - blob.x0 < 6 * tall,
  );
  for (let grown = true; grown; ) {
    const next = fitting.find(
      (blob) => (blob.x1 > x1 && blob.x0 - x1 <= WORD_GAP * tall) || (blob.x0 < x0 && x0 - blob.x1 <= WORD_GAP * tall),
    );
    grown = next !== undefined;
    if (next === undefined) continue;
    x0 = Math.min(x0, next.x0);
    x1 = Math.max(x1, next.x1);
    y0 = Math.min(y0, next.y0);
    y1 = Math.max(y1, next.y1);
    glyphs++;
  }
  return { ...row, x0, y0, x1, y1, glyphs };
}

export function height({ y0, y1 }: { readonly y0: number; readonly y1: number }): number {
  return y1 - y0 + 1;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}
