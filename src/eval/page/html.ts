import { escapeHtml } from '../../util/index.js';
import { cellText, type Table } from '../tables/table.js';

/** A table that scrolls sideways on a narrow screen, with its notes below. */
export function htmlTable({ title, columns, rows, notes }: Table): string {
  const head = columns.map((column) => `<th scope="col">${escapeHtml(column)}</th>`).join('');
  const body = rows.map(({ cells, total }) => {
    const [first, ...rest] = columns.map((_, k) => escapeHtml(cellText(cells[k] ?? null)));
    return `<tr${total === true ? ' class="total"' : ''}><th scope="row">${first}</th>${rest.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  const remarks = notes.map((note) => `<li>${escapeHtml(note)}</li>`).join('');
  return `<div class="scroll"><table><caption>${escapeHtml(title)}</caption><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>${remarks === '' ? '' : `<ul class="note">${remarks}</ul>`}`;
}

export function section(id: string, title: string, content: string): string {
  return `<section id="${id}"><h2>${escapeHtml(title)}</h2>\n${content}\n</section>`;
}
