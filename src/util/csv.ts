import { parse } from 'csv-parse/sync';
import { DataError } from './errors/index.js';

/** Serialises CSV lines (RFC 4180). Undefined, null and NaN become empty cells. */
export function csvText(lines: readonly (readonly unknown[])[]): string {
  return lines.map((cells) => `${cells.map(cell).join(',')}\r\n`).join('');
}

function cell(value: unknown): string {
  if (value === undefined || value === null || (typeof value === 'number' && Number.isNaN(value))) return '';
  const raw = String(value);
  const text = typeof value !== 'number' && isFormula(raw) ? `'${raw}` : raw;
  // Spreadsheets in many locales split lines at semicolons: an unquoted one would start a new cell.
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** Characters that spreadsheets, or programs that preprocess for them, skip at the start of a cell. */
const SKIPPED = /^[\s"\p{Cc}\p{Cf}]+/u;

/**
 * Whether a spreadsheet may interpret a cell as a formula. File names and phrases are untrusted; only complete numbers may start
 * like a formula.
 *
 * @see https://owasp.org/www-community/attacks/CSV_Injection
 */
function isFormula(text: string): boolean {
  if (NUMBER.test(text)) return false;
  // Some spreadsheets treat full-width and small signs as the plain ones.
  const [first = ''] = text.replace(SKIPPED, '');
  return /^[\t\r\n]/.test(text) || /^[=+@\u2212-]/.test(first.normalize('NFKC'));
}

/** Longer lines are no table's. */
const MAX_LINE = 10_000_000;

/**
 * Parses CSV with commas or semicolons, with or without a byte order mark, with any line ending; lines may differ in length.
 *
 * @param where - the file, for messages.
 * @returns the cells of each line that is not empty, trimmed.
 * @throws DataError when it is not CSV.
 */
export function parseCsv(text: string, where: string): string[][] {
  const line = text.slice(0, text.search(/[\r\n]|$/));
  const delimiter = line.split(';').length > line.split(',').length ? ';' : ',';
  try {
    return parse(text, {
      bom: true,
      delimiter,
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      trim: true,
      max_record_size: MAX_LINE,
    });
  } catch (cause) {
    throw new DataError({
      code: 'E_TABLE_INVALID',
      where,
      what: 'it cannot be read as CSV',
      fix: 'Export it again as CSV',
      cause,
    });
  }
}
