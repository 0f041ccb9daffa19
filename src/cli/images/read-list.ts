import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { parse } from 'csv-parse';
import { DataError, linesOf, UsageError, unreadableCode } from '../../util/index.js';

/** A line of a list. */
export interface ListedImage {
  /** A path, or the address of an object or a folder in a store. */
  readonly name: string;
  /** From a listing of a store: path below the listed folder, version, and the folder that was listed. */
  readonly below?: string | undefined;
  readonly etag?: string | undefined;
  readonly listed?: string | undefined;
}

/** Columns that name images; a table has one of them, or `--column` names another. */
const COLUMNS = [
  'image',
  'images',
  'path',
  'image_path',
  'file',
  'file_path',
  'file_name',
  'filename',
  'uri',
  'url',
  'key',
  'address',
];

/**
 * Reads a list of images line by line: a text file with a path or address a line, a table (`.csv`, `.tsv`) with a column of them,
 * or `-` for lines from standard input. Empty lines are skipped.
 *
 * @param column - which column of a table; by default the one that is called `image`, `path`, `file_name` or similar.
 * @throws DataError when it cannot be read; UsageError when it is not clear which column is meant.
 */
export async function* readList(file: string, column?: string): AsyncGenerator<ListedImage> {
  if (file !== '-') await requireReadable(file);
  if (!/\.[ct]sv$/i.test(file)) {
    let first = true;
    for await (const line of linesOf(file === '-' ? process.stdin : createReadStream(file))) {
      const name = (first ? line.replace(/^\uFEFF/, '') : line).trim();
      first = false;
      if (name.includes('\0'))
        throw new DataError({
          code: 'E_TABLE_INVALID',
          where: file,
          what: 'it is not a text file',
          fix: 'Name images with --image',
        });
      if (name !== '') yield { name };
    }
    return;
  }
  const rows = createReadStream(file, 'utf8').pipe(
    parse({ bom: true, delimiter: await delimiterOf(file), skip_empty_lines: true, trim: true }),
  );
  try {
    let columns: readonly string[] | undefined;
    let at = -1;
    for await (const row of rows as AsyncIterable<readonly string[]>) {
      if (columns === undefined) {
        columns = row;
        at = columnOf(row, column, file);
        continue;
      }
      const value = (name: string) => row[columns?.indexOf(name) ?? -1] || undefined;
      const name = row[at];
      if (name) yield { name, below: value('below'), etag: value('etag'), listed: value('listed') };
    }
  } catch (cause) {
    if (!(cause as { code?: string }).code?.startsWith('CSV_')) throw cause;
    const what = `it cannot be read as a table (${(cause as Error).message})`;
    throw new DataError({ code: 'E_TABLE_INVALID', where: file, what, fix: 'Save it again as CSV', cause });
  }
}

function columnOf(columns: readonly string[], asked: string | undefined, file: string): number {
  const plain = columns.map((name) => name.toLowerCase());
  const fix = `Name one of its columns with --column: ${columns.slice(0, 30).join(', ')}`;
  if (asked !== undefined) {
    const at = columns.indexOf(asked) < 0 ? plain.indexOf(asked.toLowerCase()) : columns.indexOf(asked);
    if (at >= 0) return at;
    throw new UsageError({ code: 'E_OPTION_VALUE', where: '--column', what: `${file} has no column "${asked}"`, fix });
  }
  if (columns.some((name) => /[\\/]|\.[a-z]{3,4}$/i.test(name)))
    throw new DataError({
      code: 'E_TABLE_INVALID',
      where: file,
      what: 'its first line names an image, not columns',
      fix: 'Add a first line with names of columns, such as image; or save it as .txt with one image a line',
    });
  const found = plain.flatMap((name, i) => (COLUMNS.includes(name) || columns.length === 1 ? [i] : []));
  if (found.length === 1) return found[0] as number;
  const what = `it is not clear which column of ${file} names the images`;
  throw new UsageError({ code: 'E_OPTION_MISSING', where: '--column', what, fix });
}

/** Of tabs, semicolons and commas, the one that is most frequent in the first line: programs write what the locale prefers. */
async function delimiterOf(file: string): Promise<string> {
  let start = '';
  for await (const line of linesOf(createReadStream(file))) {
    start = line;
    break;
  }
  const count = (delimiter: string) => start.split(delimiter).length;
  return ['\t', ';'].find((delimiter) => count(delimiter) > count(',')) ?? ',';
}

async function requireReadable(file: string): Promise<void> {
  const info = await stat(file).catch((cause: NodeJS.ErrnoException) => {
    const what = cause.code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${cause.code})`;
    throw new DataError({ code: unreadableCode(cause), where: file, what, fix: 'Check the path', cause });
  });
  if (info.isDirectory())
    throw new DataError({
      code: 'E_FILE_KIND',
      where: file,
      what: 'it is a folder, not a list',
      fix: 'Name folders with --image',
    });
}
