import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { DataError } from '../../../util/index.js';
import { readSheet } from './sheet.js';

/** Rows of a table by the names of their columns, in lower case. */
export type Row = Readonly<Record<string, string>>;

/**
 * Reads a CSV file (commas or semicolons, with or without a byte order mark, any line ends) or the first sheet of an Excel file.
 *
 * @param columns - names for a file without a header line.
 * @throws DataError naming the file, for what cannot be read as a table.
 */
export async function readTable(file: string, columns?: readonly string[]): Promise<Row[]> {
  const bytes = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    throw new DataError({ where: file, what: `it cannot be read (${cause.code})`, fix: 'Check the path', cause });
  });
  const cells = bytes.readUInt16BE(0) === 0x504b ? await readSheet(file) : parseCsv(bytes.toString('utf8'), file);
  const [head, ...body] = columns === undefined ? cells : [columns, ...cells];
  const names = (head ?? []).map((name) => name.trim().toLowerCase());
  return body.map((row) => Object.fromEntries(names.map((name, i) => [name, (row[i] ?? '').trim()])));
}

function parseCsv(text: string, file: string): string[][] {
  const line = text.slice(0, text.search(/[\r\n]|$/));
  const delimiter = line.split(';').length > line.split(',').length ? ';' : ',';
  try {
    return parse(text, { bom: true, delimiter, relax_column_count: true, relax_quotes: true, skip_empty_lines: true });
  } catch (cause) {
    throw new DataError({ where: file, what: 'it cannot be read as CSV', fix: 'Export it again as CSV', cause });
  }
}

/**
 * The value of a column, under the first of its names that the table has.
 *
 * @throws DataError naming the file and the column when it has none of them.
 */
export function column(rows: readonly Row[], names: readonly string[], file: string): (row: Row) => string {
  const [first] = rows;
  const name = names.find((own) => first?.[own] !== undefined);
  if (name === undefined && first !== undefined) {
    const what = `it has no column ${names.join(' or ')}; its columns are ${Object.keys(first).join(', ')}`;
    throw new DataError({ where: file, what, fix: 'Use the table as it was published' });
  }
  return (row) => row[name ?? ''] ?? '';
}
