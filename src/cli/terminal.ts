import { ConfigError, printable } from '../util/index.js';

/** Writes a line to standard error. What is in it that a terminal would obey is shown instead. */
export function printLine(text: string): void {
  process.stderr.write(`${printable(text)}\n`);
}

/** Writes a line of results to standard output, likewise. */
export function printResult(text: string): void {
  process.stdout.write(`${printable(text)}\n`);
}

/** Writes an error's message. That of a configuration may list its problems, one a line. */
export function printError(error: Error | string): void {
  const message = typeof error === 'string' ? error : error.message;
  const lines = error instanceof ConfigError ? message.split('\n') : [message];
  lines.forEach((line, i) => {
    printLine(i === 0 ? `error: ${line}` : line);
  });
}
