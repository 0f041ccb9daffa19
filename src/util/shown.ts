import { printable } from './printable.js';

/**
 * Text from outside as a message may hold it: control characters spelt out, line ends kept, cut where it is too long.
 *
 * @param most - how many characters are kept.
 */
export function cleaned(text: string, most: number): string {
  const kept = text.slice(0, most).split('\n').map(printable).join('\n');
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
