import { ConfigError, printable, SonogroundError } from '../util/index.js';
import { commandHint } from './command-hints.js';
import { withTypedCommands } from './typed-command.js';

let silent = false;

/** Stops this process from printing lines, where another one prints the same; or lets it print again. */
export function silence(on = true): void {
  silent = on;
}

/** Prints a line to standard error. Control characters are made visible; commands are shown in the form that the user types. */
export function printLine(text: string): void {
  if (silent) return;
  process.stderr.write(`${printable(withTypedCommands(text))}\n`);
}

/** Prints a line of results to standard output, likewise. */
export function printResult(text: string): void {
  process.stdout.write(`${printable(withTypedCommands(text))}\n`);
}

/**
 * Prints an error's message, with the suggested command and, last, its code. The message of a configuration error may list its
 * problems, one per line.
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
