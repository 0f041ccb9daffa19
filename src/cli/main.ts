import yargs, { type Argv, type CommandModule } from 'yargs';
import { backendNames, readableBackendError } from '../backend/index.js';
import { nearest, SonogroundError, UsageError } from '../util/index.js';
import type { GlobalOptions } from './options.js';
import { printError, printLine } from './terminal.js';

/** A command that was understood and failed. */
const FAILED = 1;

/** A command line that was not understood. */
const MISUSED = 2;

/**
 * Runs a command line.
 *
 * @param argv - without the names of the runtime and the script.
 * @returns the exit code. Whatever went wrong is on standard error, as one message without a stack trace.
 */
export async function main(argv: readonly string[], commands: readonly CommandModule<GlobalOptions, never>[]): Promise<number> {
  const parser: Argv = yargs()
    .scriptName('npm run')
    .usage('$0 <command> -- [options]')
    .option('backend', {
      choices: backendNames,
      default: (process.env['SONOGROUND_BACKEND'] ?? 'auto') as GlobalOptions['backend'],
      describe: 'what computes; also SONOGROUND_BACKEND',
    })
    .command(commands as unknown as CommandModule[])
    .demandCommand(1, 1, 'Name a command', 'Name one command')
    .strict()
    .recommendCommands()
    .exitProcess(false)
    .showHelpOnFail(false)
    .wrap(Math.min(120, process.stdout.columns ?? 120))
    .fail((message, error) => {
      throw error ?? new UsageError({ where: argv[0] ?? 'sonoground', what: readable(message, parser), fix: 'See --help' });
    });
  try {
    await parser.parseAsync([...argv], {}, (_error, _argv, output) => {
      if (output !== '') process.stdout.write(`${asTyped(output)}\n`);
    });
    return 0;
  } catch (error) {
    return report(error);
  }
}

/** The parser's complaint, with the nearest option where one is unknown. */
function readable(message: string, parser: Argv): string {
  const { key } = (parser as unknown as { getOptions(): { key: Record<string, unknown> } }).getOptions();
  const [, list] = /^Unknown arguments?: (.*)$/.exec(message) ?? [];
  if (list === undefined) return message.replace(/\n\s*/g, ' ').replace(/\?$/, '').trim();
  // Each option is listed as typed and in camel case.
  const names = list.split(', ').filter((name, i, all) => all.findIndex((other) => dashed(other) === dashed(name)) === i);
  return names
    .map((name) => {
      const near = nearest(dashed(name), Object.keys(key));
      return `unknown argument ${name}${near === undefined ? '' : `, did you mean --${near}?`}`;
    })
    .join('; ');
}

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Through npm, options follow two dashes. */
function asTyped(help: string): string {
  return help.replace(/(npm run [\w-]+)(?= (?:--[\w]|\[))/g, '$1 --');
}

/** Prints what a person should read of an error and returns the exit code. */
export function report(error: unknown): number {
  const known = readableBackendError(error);
  if (process.env['SONOGROUND_DEBUG'] === '1' && error instanceof Error)
    for (const line of String(error.stack).split('\n')) printLine(line);
  else if (known instanceof SonogroundError) printError(known);
  else {
    printError(error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
    printLine('This was not expected. SONOGROUND_DEBUG=1 shows where it happened.');
  }
  return error instanceof UsageError ? MISUSED : FAILED;
}
