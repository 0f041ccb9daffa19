import { readFile, stat } from 'node:fs/promises';
import { DataError, parseCsv, unreadableCode } from '../../../util/index.js';
import { readSheet } from './sheet.js';

/** Limits far above any dataset's table. */
const MAX_BYTES = 100_000_000;
const MAX_COLUMNS = 16_384;
const MAX_CELLS = 20_000_000;

/** A table row by column name, in lower case. */
export type Row = Readonly<Record<string, string>>;

/**
 * Reads a CSV file (commas or semicolons, with or without a byte order mark, any line ending) or the first sheet of an Excel
 * file.
 *
 * @param columns - names for a file without a header line.
 * @throws DataError naming the file if it cannot be read as a table.
 */
export async function readTable(file: string, columns?: readonly string[]): Promise<Row[]> {
  const bytes = await readBytes(file);
  const cells = bytes.subarray(0, 2).toString('latin1') === 'PK' ? await readSheet(file) : parseCsv(bytes.toString('utf8'), file);
  const [head, ...body] = columns === undefined ? cells : [columns, ...cells];
  const names = (head ?? []).map((name) => name.trim().toLowerCase());
  if (names.length > MAX_COLUMNS || names.length * body.length > MAX_CELLS)
    throw new DataError({
      code: 'E_FILE_TOO_LARGE',
      where: file,
      what: `it has ${body.length} rows of ${names.length} columns, more than a list of images has`,
      fix: 'Use the table as it was published',
    });
  return body.map((row) => Object.fromEntries(names.map((name, i) => [name, (row[i] ?? '').trim()])));
}

async function readBytes(file: string): Promise<Buffer> {
  try {
    const info = await stat(file);
    if (!info.isFile())
      throw new DataError({ code: 'E_FILE_KIND', where: file, what: 'it is no file', fix: 'Use the table as it was published' });
    if (info.size > MAX_BYTES)
      throw new DataError({
        code: 'E_FILE_TOO_LARGE',
        where: file,
        what: `it has ${info.size} bytes, more than the ${MAX_BYTES} that are read`,
        fix: 'Use the table as it was published',
      });
    const bytes = await readFile(file);
    if (bytes.subarray(0, 4).toString('hex') === 'd0cf11e0')
      throw new DataError({
        code: 'E_TABLE_INVALID',
        where: file,
        what: 'it is a workbook of an old format (.xls), or one behind a password',
        fix: 'Save the table as .csv',
      });
    return bytes;
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw new DataError({
      code: unreadableCode(cause),
      where: file,
      what: `it cannot be read (${code})`,
      fix: 'Check the path',
      cause,
    });
  }
}

/**
 * Returns an accessor for a column, under the first of the given names that the table has.
 *
 * @throws DataError naming the file and the column when it has none of them.
 */
export function column(rows: readonly Row[], names: readonly string[], file: string): (row: Row) => string {
  const [first] = rows;
  const name = names.find((own) => first?.[own] !== undefined);
  if (name === undefined && first !== undefined) {
    const what = `it has no column ${names.join(' or ')}; its columns are ${Object.keys(first).join(', ')}`;
    throw new DataError({ code: 'E_TABLE_INVALID', where: file, what, fix: 'Use the table as it was published' });
  }
  return (row) => row[name ?? ''] ?? '';
}
