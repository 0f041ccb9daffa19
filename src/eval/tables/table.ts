import { join } from 'node:path';
import { writeFileAtomic } from '../../util/index.js';
import { csvText } from './csv.js';

/** A cell: text, a number printed with two decimals, or empty. */
export type Cell = string | number | null;

export interface TableRow {
  readonly cells: readonly Cell[];
  /** Highlights averages. */
  readonly total?: boolean;
}

/** A table in a format-independent form. */
export interface Table {
  /** File name without extension. */
  readonly id: string;
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly TableRow[];
  /** Notes under the table. */
  readonly notes: readonly string[];
}

/** Writes a table as Markdown, CSV and LaTeX and returns the files. */
export async function writeTable(dir: string, table: Table): Promise<string[]> {
  const files = [
    [`${table.id}.md`, markdownTable(table)],
    [`${table.id}.csv`, csvTable(table)],
    [`${table.id}.tex`, latexTable(table)],
  ] as const;
  for (const [name, text] of files) await writeFileAtomic(join(dir, name), text);
  return files.map(([name]) => join(dir, name));
}

/** A GitHub-flavoured table with columns aligned in the source as well. */
export function markdownTable({ title, columns, rows, notes }: Table): string {
  const lines = [columns, ...rows.map(({ cells, total }) => cells.map((cell) => markdownCell(cell, total === true)))];
  const widths = columns.map((_, k) => Math.max(3, ...lines.map((cells) => (cells[k] ?? '').length)));
  const line = (cells: readonly string[]) => `| ${widths.map((width, k) => (cells[k] ?? '').padEnd(width)).join(' | ')} |`;
  const rule = `| ${widths.map((width, k) => (isNumeric(rows, k) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width))).join(' | ')} |`;
  const [head, ...body] = lines.map(line);
  const remarks = notes.map((note) => `- ${note}`).join('\n');
  return `**${title}**\n\n${[head, rule, ...body].join('\n')}\n${remarks === '' ? '' : `\n${remarks}\n`}`;
}

/** Whether a column is numeric, and therefore right-aligned. */
function isNumeric(rows: readonly TableRow[], column: number): boolean {
  const texts = rows.map(({ cells }) => cellText(cells[column] ?? null)).filter((text) => text !== '');
  return texts.length > 0 && texts.every((text) => /^(< ?)?-?\d/.test(text));
}

function markdownCell(cell: Cell, total: boolean): string {
  const text = cellText(cell).replaceAll('|', '\\|').replaceAll('\n', ' ');
  return total && text !== '' ? `**${text}**` : text;
}

function csvTable({ columns, rows }: Table): string {
  return csvText([columns, ...rows.map(({ cells }) => cells)]);
}

/** A booktabs table; the notes appear as a comment and under the table. */
export function latexTable({ id, title, columns, rows, notes }: Table): string {
  const line = (cells: readonly Cell[], total = false) => `${cells.map((cell) => latexCell(cell, total)).join(' & ')} \\\\`;
  const body = rows.map(({ cells, total }) => `${total === true ? '\\midrule\n' : ''}${line(cells, total)}`);
  return [
    '% \\usepackage{booktabs}',
    '\\begin{table}',
    '\\centering',
    `\\caption{${latexText(title)}}`,
    `\\label{tab:${id}}`,
    `\\begin{tabular}{${columns.map((_, k) => (isNumeric(rows, k) ? 'r' : 'l')).join('')}}`,
    '\\toprule',
    line(columns),
    '\\midrule',
    ...body,
    '\\bottomrule',
    '\\end{tabular}',
    ...notes.map((note) => `\\par\\footnotesize ${latexText(note)}`),
    '\\end{table}',
    '',
  ].join('\n');
}

function latexCell(cell: Cell, total: boolean): string {
  const text = latexText(cellText(cell));
  return total && text !== '' ? `\\textbf{${text}}` : text;
}

function latexText(text: string): string {
  return text
    .replaceAll('\\', '\\textbackslash ')
    .replace(/[&%$#_{}]/g, (sign) => `\\${sign}`)
    .replaceAll('~', '\\textasciitilde ')
    .replaceAll('^', '\\textasciicircum ')
    .replaceAll('±', '$\\pm$')
    .replaceAll('†', '$^\\dagger$')
    .replaceAll('’', "'")
    .replaceAll('“', '``')
    .replaceAll('”', "''")
    .replaceAll('–', '--');
}

/** Formats a cell. */
export function cellText(cell: Cell): string {
  if (cell === null) return '';
  return typeof cell === 'number' ? (Number.isInteger(cell) ? String(cell) : cell.toFixed(2)) : cell;
}
