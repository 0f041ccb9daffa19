/**
 * Characters that control a terminal or page: control characters (C0, DEL, C1; with ESC they move the cursor, change colours, set
 * the title), bidirectional formatting, and line separators of other programs.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
const COMMANDS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

const NAMES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Makes control characters visible: file names, captions and patient names are untrusted. A line stays one line. */
export function printable(text: string): string {
  return text.replace(COMMANDS, (letter) => NAMES[letter] ?? escaped(letter.charCodeAt(0)));
}

function escaped(code: number): string {
  return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** Escapes text for HTML, including attributes; control characters are made visible. */
export function escapeHtml(text: string): string {
  return printable(text).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
