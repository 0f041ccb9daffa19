import { ConfigError, printable } from '../util/index.js';
import { withTypedCommands } from './typed-command.js';

/**
 * Writes a line to standard error. What is in it that a terminal would obey is shown instead; commands are named as the reader
 * types them.
 */
export function printLine(text: string): void {
  process.stderr.write(`${printable(withTypedCommands(text))}\n`);
}

/** Writes a line of results to standard output, likewise. */
export function printResult(text: string): void {
  process.stdout.write(`${printable(withTypedCommands(text))}\n`);
}

/** Writes an error's message. That of a configuration may list its problems, one a line. */
export function printError(error: Error | string): void {
  const message = typeof error === 'string' ? error : error.message;
  const lines = error instanceof ConfigError ? message.split('\n') : [message];
  lines.forEach((line, i) => {
    printLine(i === 0 ? `error: ${line}` : line);
  });
}
