import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const point = z.tuple([z.number(), z.number()]).rest(z.unknown());
const outline = z.union([z.array(point), z.array(z.array(point))]);

/**
 * Reads an outline: a list of [x, y] in pixels, or several of them.
 *
 * @returns lists x0, y0, x1, y1, …, or what is wrong.
 */
export async function readPolygon(file: string): Promise<number[][] | string> {
  let json: unknown;
  try {
    json = JSON.parse((await readFile(file, 'utf8')).replace(/^\uFEFF/, ''));
  } catch {
    return 'it cannot be read as JSON';
  }
  const parsed = outline.safeParse(json);
  if (!parsed.success) return 'it is no list of [x, y]';
  const nested = parsed.data as number[][] | number[][][];
  const lists = typeof nested[0]?.[0] === 'number' ? [nested as number[][]] : (nested as number[][][]);
  if (lists.length === 0 || lists.some((list) => list.length < 3)) return 'its outline has fewer than three points';
  return lists.map((list) => list.flatMap(([x, y]) => [x as number, y as number]));
}
