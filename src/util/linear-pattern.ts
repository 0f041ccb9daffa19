import { RE2JS, RE2JSException } from 're2js';

/** Maximum pattern length: enough for the names of some hundred layers as alternatives. */
const MAX_LENGTH = 20_000;

/**
 * Compiles an untrusted regular expression with RE2, which matches in linear time. Python syntax such as `(a|b)`, `[0-9]`, `.*`,
 * `\d+`, `^` and `$` is supported; look-around and backreferences are not.
 *
 * @returns a function that tests whether an entire string matches.
 * @throws SyntaxError naming the unsupported syntax.
 * @see https://github.com/google/re2/wiki/Syntax
 */
export function linearPattern(source: string): (text: string) => boolean {
  const compiled = compiledLinear(source);
  return (text) => compiled.matches(text);
}

/** {@link linearPattern} for a prefix: returns the first group if the start of a string matches. */
export function linearCapture(source: string): (text: string) => string | undefined {
  const compiled = compiledLinear(source);
  return (text) => {
    const matcher = compiled.matcher(text);
    return matcher.lookingAt() ? (matcher.group(1) ?? undefined) : undefined;
  };
}

function compiledLinear(source: string): RE2JS {
  if (source.length > MAX_LENGTH) throw new SyntaxError(`it has ${source.length} characters, at most ${MAX_LENGTH} are read`);
  // Each repetition is expanded when compiled.
  if (/\{\d*,?\d{3}/.test(source)) throw new SyntaxError('it repeats something more than 99 times');
  try {
    return RE2JS.compile(source);
  } catch (cause) {
    if (!(cause instanceof RE2JSException)) throw cause;
    throw new SyntaxError(cause.message.replace(/^error parsing regexp: /, ''), { cause });
  }
}
