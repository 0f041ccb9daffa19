import yargs, { type Argv, type CommandModule } from 'yargs';
import { backendNames, readableBackendError } from '../backend/index.js';
import { nearest, SonogroundError, UsageError } from '../util/index.js';
import type { GlobalOptions } from './options.js';
import { type CommandGroup, nameOf, overview } from './overview.js';
import { packageVersion } from './package-version.js';
import { requireOneProcess } from './require-one-process.js';
import { printError, printLine } from './terminal.js';
import { commandPrefix, typedForm, withDashes } from './typed-command.js';

/** Exit code of a valid command that failed. */
const FAILED = 1;

/** Exit code of an invalid command line. */
const MISUSED = 2;

/**
 * Runs a command line.
 *
 * @param argv - without the names of the runtime and the script.
 * @param groups - the commands, as grouped in the overview.
 * @returns the exit code. Errors are printed to standard error as a single message without a stack trace.
 */
export async function main(
  argv: readonly string[],
  commands: readonly CommandModule<GlobalOptions, never>[],
  groups: readonly CommandGroup[] = [],
): Promise<number> {
  const form = typedForm(argv[0]);
  const general = () => `${overview(groups, commandPrefix('npx'))}\n`;
  if (argv.length === 0 && groups.length > 0) {
    process.stderr.write(general());
    return MISUSED;
  }
  const parser: Argv = yargs()
    .scriptName(commandPrefix(form))
    .usage('$0 <command> [options]')
    // By default, yargs uses the version of the package in whose folder the command is linked.
    .version(await packageVersion())
    .option('backend', {
      choices: backendNames,
      default: (process.env['SONOGROUND_BACKEND'] ?? 'auto') as GlobalOptions['backend'],
      describe: 'backend; also SONOGROUND_BACKEND',
    })
    .middleware((args) => requireOneProcess(args), false)
    .command(commands as unknown as CommandModule[])
    .demandCommand(1, 1, 'Name a command', 'Name one command')
    .strict()
    .recommendCommands()
    .exitProcess(false)
    .showHelpOnFail(false)
    .wrap(Math.min(120, process.stdout.columns ?? 120))
    .fail((message, error) => {
      throw (
        error ??
        new UsageError({
          code: 'E_COMMAND_LINE',
          where: argv[0] ?? 'sonoground',
          what: readable(message, parser),
          fix: usageHint(argv[0], commands),
        })
      );
    });
  try {
    await parser.parseAsync([...argv], {}, (_error, asked: Asked, output) => {
      if (output === '') return;
      const ofNone = asked['help'] === true && !isCommand(asked._?.[0], commands) && groups.length > 0;
      process.stdout.write(ofNone ? general() : `${withDashes(output, form)}\n`);
    });
    return 0;
  } catch (error) {
    return report(error);
  }
}

/** Arguments of the parser's callback, possibly incomplete. */
interface Asked {
  readonly _?: readonly unknown[];
  readonly [option: string]: unknown;
}

/** Where to find usage help: of the command or, after an unknown word, the list of commands. */
function usageHint(word: string | undefined, commands: readonly CommandModule<GlobalOptions, never>[]): string {
  return `See \`sonoground ${isCommand(word, commands) ? `${word} ` : ''}--help\``;
}

function isCommand(word: unknown, commands: readonly CommandModule<GlobalOptions, never>[]): boolean {
  return commands.some(({ command }) => nameOf(command) === word);
}

/** The parser's message, with a suggestion for an unknown option. */
function readable(message: string, parser: Argv): string {
  const { key } = (parser as unknown as { getOptions(): { key: Record<string, unknown> } }).getOptions();
  const [, list] = /^Unknown arguments?: (.*)$/.exec(message) ?? [];
  if (list === undefined)
    return message
      .replace(/\n\s*/g, ' ')
      .replace(/^Did you mean (.*)\?$/, 'there is no such command; the nearest is $1')
      .trim();
  // Each option is listed both as typed and in camel case.
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

/** Prints an error and returns the exit code. */
export function report(error: unknown): number {
  const known = readableBackendError(error);
  if (process.env['SONOGROUND_DEBUG'] === '1' && error instanceof Error)
    for (const line of String(error.stack).split('\n')) printLine(line);
  else if (known instanceof SonogroundError) printError(known);
  else {
    printError(error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
    printLine('This is an unexpected error. Set SONOGROUND_DEBUG=1 to see the stack trace.');
  }
  return error instanceof UsageError ? MISUSED : FAILED;
}
