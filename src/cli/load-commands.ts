import type { CommandModule } from 'yargs';
import type { GlobalOptions } from './options.js';
import type { CommandGroup } from './overview.js';

type Command = CommandModule<GlobalOptions, never>;

/** The module of each command: loading those of all takes longer than most commands need to start. */
const MODULES: Readonly<Record<string, () => Promise<Readonly<Record<string, unknown>>>>> = {
  infer: () => import('./infer.js'),
  merge: () => import('./merge.js'),
  demo: () => import('./demo.js'),
  train: () => import('./train.js'),
  eval: () => import('./eval.js'),
  'import-data': () => import('./import-data.js'),
  'check-data': () => import('./check-data.js'),
  deidentify: () => import('./deidentify.js'),
  serve: () => import('./serve.js'),
  download: () => import('./download.js'),
  export: () => import('./export.js'),
  forward: () => import('./forward.js'),
  doctor: () => import('./doctor.js'),
};

/** Commands to choose from, and their groups in the overview. */
export interface LoadedCommands {
  readonly commands: readonly Command[];
  readonly groups: readonly CommandGroup[];
}

/**
 * Loads the command that a command line names first, or all commands if that is none: to describe them or to suggest one.
 *
 * @param word - the first word typed.
 */
export async function loadCommands(word: string | undefined): Promise<LoadedCommands> {
  const load = word !== undefined && Object.hasOwn(MODULES, word) ? MODULES[word] : undefined;
  if (load !== undefined) return { commands: Object.values(await load()).filter(isCommand), groups: [] };
  const { commands, commandGroups } = await import('./commands.js');
  return { commands, groups: commandGroups };
}

/** Names of the commands that can be loaded by themselves. */
export const loadableCommands: readonly string[] = Object.keys(MODULES);

function isCommand(exported: unknown): exported is Command {
  return typeof exported === 'object' && exported !== null && 'command' in exported && 'handler' in exported;
}
