/** Characters that move a terminal's cursor, reverse its writing or cannot be seen: controls, and the marks of text direction. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNSEEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/**
 * Text from outside as a message may hold it: control characters spelt out, line ends kept, cut where it is too long.
 *
 * @param most - how many characters are kept.
 */
export function cleaned(text: string, most: number): string {
  const kept = text.slice(0, most).replace(UNSEEN, spelt);
  return text.length > most ? `${kept}… (${(text.length - most).toLocaleString('en')} more characters)` : kept;
}

/**
 * A value from outside as a message shows it, on one line: texts in quotes and shortened, of lists and tables the size alone. It
 * never walks through a value, which may hold itself, or a few lists that stand for billions.
 */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `"${shownName(value)}"`;
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return `a list of ${value.length}`;
      return value instanceof Map ? `a table of ${value.size}` : 'an object';
    case 'function':
    case 'symbol':
      return `a ${typeof value}`;
    default:
      return cleaned(String(value), NAME_LENGTH);
  }
}

/** A name from outside, of a tensor, a field or a file, without quotes. */
export function shownName(name: string): string {
  return cleaned(name, NAME_LENGTH).replaceAll('\n', '\\n');
}

/** A shape, however many sizes it has. */
export function shownShape(shape: readonly number[]): string {
  const sizes = shape.slice(0, SIZES).join(', ');
  return shape.length > SIZES ? `[${sizes}, … (${shape.length} sizes)]` : `[${sizes}]`;
}

const NAME_LENGTH = 200;
const SIZES = 12;

function spelt(character: string): string {
  const code = character.charCodeAt(0).toString(16);
  return code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`;
}
