import yargs, { type Argv, type CommandModule } from 'yargs';
import { backendNames, readableBackendError } from '../backend/index.js';
import { nearest, SonogroundError, UsageError } from '../util/index.js';
import type { GlobalOptions } from './options.js';
import { type CommandGroup, nameOf, overview } from './overview.js';
import { packageVersion } from './package-version.js';
import { printError, printLine } from './terminal.js';
import { commandPrefix, typedForm, withDashes } from './typed-command.js';

/** A command that was understood and failed. */
const FAILED = 1;

/** A command line that was not understood. */
const MISUSED = 2;

/**
 * Runs a command line.
 *
 * @param argv - without the names of the runtime and the script.
 * @param groups - the commands as the overview shows them.
 * @returns the exit code. Whatever went wrong is on standard error, as one message without a stack trace.
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
    // Its own guess is that of the folder in which the command was linked.
    .version(await packageVersion())
    .option('backend', {
      choices: backendNames,
      default: (process.env['SONOGROUND_BACKEND'] ?? 'auto') as GlobalOptions['backend'],
      describe: 'backend; also SONOGROUND_BACKEND',
    })
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

/** What the parser hands to its callback, also where it did not get far. */
interface Asked {
  readonly _?: readonly unknown[];
  readonly [option: string]: unknown;
}

/** Where to read how a command is used; after a word that is none, which commands there are. */
function usageHint(word: string | undefined, commands: readonly CommandModule<GlobalOptions, never>[]): string {
  return `See \`sonoground ${isCommand(word, commands) ? `${word} ` : ''}--help\``;
}

function isCommand(word: unknown, commands: readonly CommandModule<GlobalOptions, never>[]): boolean {
  return commands.some(({ command }) => nameOf(command) === word);
}

/** The parser's complaint, with the nearest option where one is unknown. */
function readable(message: string, parser: Argv): string {
  const { key } = (parser as unknown as { getOptions(): { key: Record<string, unknown> } }).getOptions();
  const [, list] = /^Unknown arguments?: (.*)$/.exec(message) ?? [];
  if (list === undefined)
    return message
      .replace(/\n\s*/g, ' ')
      .replace(/^Did you mean (.*)\?$/, 'there is no such command; the nearest is $1')
      .trim();
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

/** Prints what a person should read of an error and returns the exit code. */
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
