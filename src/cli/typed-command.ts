import { resolve } from 'node:path';
import { packageFile } from '../config/index.js';

/** How a person starts a command: `npx sonoground train …`, or by this package's own script, `npm run train -- …`. */
export type CommandForm = 'npx' | 'npm';

/**
 * The form in which the command at hand was typed.
 *
 * @param command - its name. A script of another package that calls `sonoground` is none that a person could be told to run.
 */
export function typedForm(
  command: string | undefined = process.argv[2],
  env: Readonly<Record<string, string | undefined>> = process.env,
): CommandForm {
  const { npm_lifecycle_event: script, npm_package_json: file } = env;
  const own = file !== undefined && resolve(file) === resolve(packageFile('package.json'));
  return own && command !== undefined && script === command ? 'npm' : 'npx';
}

/** What stands before the name of a command. */
export function commandPrefix(form: CommandForm): string {
  return form === 'npm' ? 'npm run' : 'npx sonoground';
}

/** A command that a message names, as `sonoground setup` in backticks. */
const NAMED = /`sonoground(?: ([a-z][a-z-]*))?( [^`]*)?`/g;

/** The same where a message still names the script of the repository. */
const SCRIPT = /\bnpm run ([a-z][a-z-]*)( --(?= ))?/g;

/** Puts the commands that a message names into the form in which the reader started this one. */
export function withTypedCommands(text: string, form: CommandForm = typedForm()): string {
  const named = text.replace(NAMED, (_, name: string | undefined, rest = '') => {
    if (name === undefined) return `\`npx sonoground${rest}\``;
    return `\`${commandPrefix(form)} ${name}${form === 'npm' && rest !== '' ? ' --' : ''}${rest}\``;
  });
  return form === 'npm' ? named : named.replace(SCRIPT, 'npx sonoground $1');
}

/** Through npm, options follow two dashes. For help, in which commands begin as {@link commandPrefix} says. */
export function withDashes(help: string, form: CommandForm): string {
  return form === 'npm' ? help.replace(/(npm run [\w-]+)(?= [\w[-])/g, '$1 --') : help;
}
