import { printable } from './printable.js';

/** Text that may stand in HTML, attributes included; control characters are shown, not obeyed. */
export function escapeHtml(text: string): string {
  return printable(text).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
