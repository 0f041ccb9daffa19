/** Lines of a CSV file (RFC 4180). Nothing, and what is not a number, becomes an empty cell. */
export function csvText(lines: readonly (readonly unknown[])[]): string {
  return lines.map((cells) => `${cells.map(cell).join(',')}\r\n`).join('');
}

function cell(value: unknown): string {
  if (value === undefined || value === null || (typeof value === 'number' && Number.isNaN(value))) return '';
  const raw = String(value);
  const text = typeof value !== 'number' && isFormula(raw) ? `'${raw}` : raw;
  // Spreadsheets of many countries divide lines at semicolons: unquoted, what follows one would begin a cell.
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** What spreadsheets, or programs that clean up before them, skip at the beginning of a cell. */
const SKIPPED = /^[\s"\p{Cc}\p{Cf}]+/u;

/**
 * Whether a spreadsheet may take a cell for a formula. File names and phrases are other people's words; only what is a number as
 * a whole may begin as a formula does.
 *
 * @see https://owasp.org/www-community/attacks/CSV_Injection
 */
function isFormula(text: string): boolean {
  if (NUMBER.test(text)) return false;
  // Full-width and small signs count as the plain ones in some.
  const [first = ''] = text.replace(SKIPPED, '');
  return /^[\t\r\n]/.test(text) || /^[=+@\u2212-]/.test(first.normalize('NFKC'));
}
