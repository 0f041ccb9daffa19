import { resolve } from 'node:path';
import { packageFile } from '../config/index.js';

/** How commands are started: `npx sonoground train …`, or by this package's own script, `npm run train -- …`. */
export type CommandForm = 'npx' | 'npm';

/**
 * The form in which the current command was started.
 *
 * @param command - its name. Scripts of other packages that call `sonoground` do not count, since they cannot be suggested.
 */
export function typedForm(
  command: string | undefined = process.argv[2],
  env: Readonly<Record<string, string | undefined>> = process.env,
): CommandForm {
  const { npm_lifecycle_event: script, npm_package_json: file } = env;
  const own = file !== undefined && resolve(file) === resolve(packageFile('package.json'));
  return own && command !== undefined && script === command ? 'npm' : 'npx';
}

/** The text before the name of a command. */
export function commandPrefix(form: CommandForm): string {
  return form === 'npm' ? 'npm run' : 'npx sonoground';
}

/** A command named in a message, as `sonoground setup` in backticks. */
const NAMED = /`sonoground(?: ([a-z][a-z-]*))?( [^`]*)?`/g;

/** A repository script named in a message. */
const SCRIPT = /\bnpm run ([a-z][a-z-]*)( --(?= ))?/g;

/** Converts the commands named in a message to the form in which the user started this one. */
export function withTypedCommands(text: string, form: CommandForm = typedForm()): string {
  const named = text.replace(NAMED, (_, name: string | undefined, rest = '') => {
    if (name === undefined) return `\`npx sonoground${rest}\``;
    return `\`${commandPrefix(form)} ${name}${form === 'npm' && rest !== '' ? ' --' : ''}${rest}\``;
  });
  return form === 'npm' ? named : named.replace(SCRIPT, 'npx sonoground $1');
}

/** For npm, inserts `--` before options. For help texts whose commands start with {@link commandPrefix}. */
export function withDashes(help: string, form: CommandForm): string {
  return form === 'npm' ? help.replace(/(npm run [\w-]+)(?= [\w[-])/g, '$1 --') : help;
}
