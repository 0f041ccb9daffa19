import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Calibration, type SpacingMm, sameSpacing } from '../imaging/index.js';
import { DataError, parseCsv, unreadableCode } from '../util/index.js';
import { withGivenSpacing } from './given-spacing.js';

/** Larger files are no tables of images. */
const MAX_BYTES = 100_000_000;

const NAME_COLUMN = /^(file_?name|file|image|name)$/i;

/** `pixel size(mm)` as in HC18, `mm_per_pixel`, `pixel_size_um`, `spacing (cm)`; `_x` and `_y` for pixels that are not square. */
const SIZE_COLUMN = /^(?:pixel[ _]?size|spacing)[ _]*\(?(?<unit>[a-zµ]+)\)?(?:[ _](?<axis>x|y))?$/i;
const PER_PIXEL_COLUMN = /^(?<unit>[a-zµ]+)_per_pixel(?:_(?<axis>x|y))?$/i;

/** Width in pixels of the image whose pixels were measured: the scale of a resized copy follows from it. */
const WIDTH_COLUMN = /^(image_)?width$/i;

/** A line of the table. */
interface PixelSize {
  readonly spacingMm: SpacingMm;
  /** Width of the image that was measured, if stated. */
  readonly width: number | undefined;
  readonly line: number;
}

/** Sizes of pixels that files do not state: one for all images, or a table. */
export class PixelSizes {
  /** What these sizes are, for messages and for telling whether results were made with them. */
  readonly source: string;
  readonly key: string;
  private readonly uniform: SpacingMm | undefined;
  private readonly byName: ReadonlyMap<string, PixelSize>;

  private constructor(source: string, key: string, uniform: SpacingMm | undefined, byName: ReadonlyMap<string, PixelSize>) {
    this.source = source;
    this.key = key;
    this.uniform = uniform;
    this.byName = byName;
  }

  /** One size for all images. @param source - names it in messages: `--mm-per-pixel`. */
  static all(spacingMm: SpacingMm, source: string): PixelSizes {
    return new PixelSizes(source, spacingMm.join('x'), spacingMm, new Map());
  }

  /**
   * Reads a CSV table with a column of file names and one of pixel sizes, as HC18 has it: `filename,pixel size(mm),…`. Units are
   * those of length; two columns `…_x` and `…_y` give pixels that are not square; a column `width` scales resized images.
   *
   * @throws DataError naming the file, and the line, for a table without these columns, sizes that are none, and names that come
   *   twice with different sizes.
   */
  static async read(file: string): Promise<PixelSizes> {
    const text = await readText(file);
    const rows = parseCsv(text, file);
    const byName = await tableOf(rows, file);
    // Its name is part of what results state as the source of their scale.
    const key = createHash('sha256')
      .update(`${basename(file)}\0${text}`)
      .digest('hex')
      .slice(0, 16);
    return new PixelSizes(basename(file), key, undefined, byName);
  }

  /** The size of an image's pixels. @param fileName - its place below the folder; the table may have its last part, with or without extension. */
  sizeOf(fileName: string, width: number): SpacingMm | undefined {
    if (this.uniform !== undefined) return this.uniform;
    const row = namesOf(fileName).flatMap((name) => this.byName.get(name) ?? [])[0];
    if (row === undefined) return undefined;
    const factor = row.width === undefined ? 1 : row.width / width;
    return [row.spacingMm[0] * factor, row.spacingMm[1] * factor];
  }

  /**
   * The calibration of an image, given its own. A file that states a scale keeps it, if that agrees; a contradiction leaves the image
   * without one.
   */
  calibrate(own: Calibration | undefined, fileName: string, width: number): Calibration | undefined {
    const given = this.sizeOf(fileName, width);
    if (given === undefined) {
      if (own !== undefined) return own;
      return { kind: 'none', reason: `${this.source} has no line for this image` };
    }
    return withGivenSpacing(own, given, this.source);
  }
}

/** The whole name, its last part, and that without extension, all in lower case. */
function namesOf(fileName: string): string[] {
  const name = fileName.replaceAll('\\', '/').toLowerCase();
  const last = name.slice(name.lastIndexOf('/') + 1);
  return [name, last, last.replace(/(\.nii)?\.[^.]*$/, '')];
}

async function readText(file: string): Promise<string> {
  const fix = 'Name a CSV table of file names and pixel sizes';
  try {
    const info = await stat(file);
    if (!info.isFile()) throw new DataError({ code: 'E_FILE_KIND', where: file, what: 'it is no file', fix });
    if (info.size > MAX_BYTES)
      throw new DataError({
        code: 'E_FILE_TOO_LARGE',
        where: file,
        what: `it has ${info.size} bytes; up to ${MAX_BYTES} are read`,
        fix,
      });
    return await readFile(file, 'utf8');
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    const what = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`;
    throw new DataError({ code: unreadableCode(cause), where: file, what, fix, cause });
  }
}

async function tableOf(rows: readonly string[][], file: string): Promise<ReadonlyMap<string, PixelSize>> {
  const [head = [], ...body] = rows;
  const nameAt = head.findIndex((title) => NAME_COLUMN.test(title));
  const widthAt = head.findIndex((title) => WIDTH_COLUMN.test(title));
  const sizes = await sizeColumns(head);
  if (nameAt < 0 || sizes === undefined)
    throw new DataError({
      code: 'E_TABLE_INVALID',
      where: file,
      what: `its columns are ${head.join(', ') || 'none'}`,
      fix: 'Give it a column filename and a column pixel_size_mm, or pixel_size_mm_x and pixel_size_mm_y',
    });
  const byName = new Map<string, PixelSize>();
  for (const [i, row] of body.entries()) {
    const line = i + 2;
    const number = (at: number) => Number((row[at] ?? '').replace(/^$/, 'nothing'));
    const spacingMm = sizes.map(({ at, toMm }) => number(at) * toMm) as [number, number];
    const width = widthAt < 0 ? undefined : number(widthAt);
    const name = (row[nameAt] ?? '').replaceAll('\\', '/').toLowerCase();
    const refuse = (what: string) =>
      new DataError({ code: 'E_TABLE_INVALID', where: `${file}, line ${line}`, what, fix: 'Mend the line, or take it out' });
    if (name === '') throw refuse('it names no file');
    if (![...spacingMm, width ?? 1].every((value) => value > 0 && Number.isFinite(value)))
      throw refuse(`"${sizes.map(({ at }) => row[at] ?? '').join('", "')}" is no size of a pixel, or its width none`);
    const known = byName.get(name);
    if (known !== undefined && !sameSpacing(known.spacingMm, spacingMm))
      throw refuse(`${name} has another size than in line ${known.line}`);
    for (const key of namesOf(name)) if (!byName.has(key) || key === name) byName.set(key, { spacingMm, width, line });
  }
  return byName;
}

interface SizeColumn {
  readonly at: number;
  readonly toMm: number;
}

/** The columns of horizontal and vertical size; one for both where pixels are square. */
async function sizeColumns(head: readonly string[]): Promise<readonly [SizeColumn, SizeColumn] | undefined> {
  const found = new Map<string, SizeColumn>();
  for (const [at, title] of head.entries()) {
    const { unit, axis = 'both' } = (SIZE_COLUMN.exec(title) ?? PER_PIXEL_COLUMN.exec(title))?.groups ?? {};
    const toMm = unit === undefined ? undefined : await millimetres(unit);
    if (toMm !== undefined && !found.has(axis.toLowerCase())) found.set(axis.toLowerCase(), { at, toMm });
  }
  const across = found.get('x') ?? found.get('both');
  const down = found.get('y') ?? found.get('both');
  return across === undefined || down === undefined ? undefined : [across, down];
}

/** Millimetres in a unit of length; undefined for other units. The units library is loaded for units other than millimetres. */
async function millimetres(name: string): Promise<number | undefined> {
  if (name.toLowerCase() === 'mm') return 1;
  const { unit } = await import('mathjs');
  try {
    const one = unit(1, name.replace('µ', 'u'));
    return one.equalBase(unit('mm')) ? one.toNumber('mm') : undefined;
  } catch {
    return undefined; // an unknown unit
  }
}
