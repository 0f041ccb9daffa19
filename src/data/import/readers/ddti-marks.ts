import { readFile, stat } from 'node:fs/promises';
import { SaxesParser } from 'saxes';
import { z } from 'zod';

/** Maximum size of a case's file in bytes; published ones have a few thousand. */
const MAX_BYTES = 10_000_000;

const number = z.number();
const shapes = z.array(z.object({ points: z.array(z.object({ x: number, y: number })) }));

/** The annotation of one image of a case. */
export interface Mark {
  /** Number of the image within its case. */
  readonly image: number;
  /** Lists x0, y0, x1, y1, … in pixels, or what is wrong with them. */
  readonly polygons: readonly number[][] | string;
}

/**
 * Reads the outlines of a case of DDTI: `<mark><image>K</image><svg>[{"points": [{"x": 1, "y": 2}, …]}]</svg></mark>`.
 *
 * @returns a mark for each image, or what is wrong with the file.
 */
export async function readMarks(file: string): Promise<Mark[] | string> {
  if ((await stat(file)).size > MAX_BYTES) return `it has more than ${MAX_BYTES} bytes`;
  const marks = new Map<number, Mark>();
  let mark: { image: string; svg: string } | undefined;
  let inside: 'image' | 'svg' | undefined;
  const parser = new SaxesParser<{ xmlns: false }>({ xmlns: false });
  let damage: string | undefined;
  parser.on('error', (error) => {
    damage ??= error.message;
  });
  parser.on('opentag', ({ name }) => {
    if (name === 'mark') mark = { image: '', svg: '' };
    inside = name === 'image' || name === 'svg' ? name : undefined;
  });
  parser.on('text', (text) => {
    if (mark !== undefined && inside !== undefined) mark[inside] += text;
  });
  parser.on('cdata', (text) => {
    if (mark !== undefined && inside !== undefined) mark[inside] += text;
  });
  parser.on('closetag', ({ name }) => {
    inside = undefined;
    if (name !== 'mark' || mark === undefined) return;
    const image = Number(mark.image);
    if (Number.isSafeInteger(image) && image > 0)
      marks.set(image, joined(marks.get(image), { image, polygons: polygonsOf(mark.svg) }));
    mark = undefined;
  });
  parser.write((await readFile(file, 'utf8')).replace(/^\uFEFF/, '')).close();
  if (damage !== undefined) return `it cannot be read as XML: ${damage.replace(/\.$/, '')}`;
  return [...marks.values()];
}

/** Merges two marks of one image, which are two outlines. */
function joined(before: Mark | undefined, mark: Mark): Mark {
  if (before === undefined || typeof before.polygons === 'string') return before ?? mark;
  if (typeof mark.polygons === 'string') return mark;
  return { image: mark.image, polygons: [...before.polygons, ...mark.polygons] };
}

function polygonsOf(svg: string): number[][] | string {
  if (svg.trim() === '') return 'nobody has outlined anything in it';
  let json: unknown;
  try {
    json = JSON.parse(svg);
  } catch {
    return 'its outline is cut off or no JSON';
  }
  const parsed = shapes.safeParse(json);
  if (!parsed.success) return 'its outline is no list of points';
  const lists = parsed.data.map(({ points }) => points.flatMap(({ x, y }) => [x, y]));
  const usable = lists.filter((list) => list.length >= 6);
  return usable.length === 0 ? 'its outline has fewer than three points' : usable;
}
