import { RE2JS, RE2JSException } from 're2js';

/** Longest pattern: the names of some hundred layers as alternatives. */
const MAX_LENGTH = 20_000;

/**
 * Compiles a regular expression that came with a file. It is matched in time that grows with the text alone, by RE2's rules: what
 * Python writes as `(a|b)`, `[0-9]`, `.*`, `\d+`, `^` and `$` is understood; looking ahead or behind and references back are not.
 *
 * @returns whether a whole text fits.
 * @throws SyntaxError saying what is not understood.
 * @see https://github.com/google/re2/wiki/Syntax
 */
export function linearPattern(source: string): (text: string) => boolean {
  const compiled = compiledLinear(source);
  return (text) => compiled.matches(text);
}

/** As {@link linearPattern}, of the start of a text: what its first group stands for, where it fits. */
export function linearCapture(source: string): (text: string) => string | undefined {
  const compiled = compiledLinear(source);
  return (text) => {
    const matcher = compiled.matcher(text);
    return matcher.lookingAt() ? (matcher.group(1) ?? undefined) : undefined;
  };
}

function compiledLinear(source: string): RE2JS {
  if (source.length > MAX_LENGTH) throw new SyntaxError(`it has ${source.length} characters, at most ${MAX_LENGTH} are read`);
  // Each repetition is a copy of its own in the compiled form.
  if (/\{\d*,?\d{3}/.test(source)) throw new SyntaxError('it repeats something more than 99 times');
  try {
    return RE2JS.compile(source);
  } catch (cause) {
    if (!(cause instanceof RE2JSException)) throw cause;
    throw new SyntaxError(cause.message.replace(/^error parsing regexp: /, ''), { cause });
  }
}
