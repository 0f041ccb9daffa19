import { printable } from './printable.js';

/**
 * Prepares untrusted text for a message: control characters escaped, line breaks kept, truncated.
 *
 * @param most - maximum length.
 */
export function cleaned(text: string, most: number): string {
  const kept = text.slice(0, most).split('\n').map(printable).join('\n');
  return text.length > most ? `${kept}… (${(text.length - most).toLocaleString('en')} more characters)` : kept;
}

/**
 * Formats an untrusted value for a message, on one line: strings quoted and truncated, lists and objects by their size alone. It
 * never walks a value, which may be circular, or a few lists that expand to billions.
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

/** Formats an untrusted name of a tensor, field or file, without quotes. */
export function shownName(name: string): string {
  return cleaned(name, NAME_LENGTH).replaceAll('\n', '\\n');
}

/** Formats a shape of any rank. */
export function shownShape(shape: readonly number[]): string {
  const sizes = shape.slice(0, SIZES).join(', ');
  return shape.length > SIZES ? `[${sizes}, … (${shape.length} sizes)]` : `[${sizes}]`;
}

const NAME_LENGTH = 200;
const SIZES = 12;
