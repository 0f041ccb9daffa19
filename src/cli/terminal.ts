import { ConfigError, printable, SonogroundError } from '../util/index.js';
import { commandHint } from './command-hints.js';
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

/**
 * Writes an error's message, with the command that helps and, last, its code. The message of a configuration may list its
 * problems, one a line.
 */
export function printError(error: Error | string): void {
  if (!(error instanceof SonogroundError)) {
    printLine(`error: ${typeof error === 'string' ? error : error.message}`);
    return;
  }
  const hint = commandHint(error);
  const code = `[${error.code}]`;
  const [first, ...problems] = error instanceof ConfigError ? error.message.split('\n') : [error.message];
  if (problems.length > 0) for (const line of [`error: ${first}`, ...problems, code]) printLine(line);
  else printLine(`error: ${first}${hint === undefined ? '' : `. ${hint}`} ${code}`);
}
