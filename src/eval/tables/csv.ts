/** Lines of a CSV file (RFC 4180). Nothing, and what is not a number, becomes an empty cell. */
export function csvText(lines: readonly (readonly unknown[])[]): string {
  return lines.map((cells) => `${cells.map(cell).join(',')}\r\n`).join('');
}

function cell(value: unknown): string {
  if (value === undefined || value === null || (typeof value === 'number' && Number.isNaN(value))) return '';
  const raw = String(value);
  // File names and phrases are other people's words: no spreadsheet shall take one for a formula.
  const text = /^[=@\t+-]/.test(raw) && !/^[+-]?[\d.]/.test(raw) ? `'${raw}` : raw;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
