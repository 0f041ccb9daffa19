import type { CommandModule } from 'yargs';
import { checkDataCommand } from './check-data.js';
import { deidentifyCommand } from './deidentify.js';
import { demoCommand } from './demo.js';
import { doctorCommand } from './doctor.js';
import { downloadCommand } from './download.js';
import { evalCommand } from './eval.js';
import { exportCommand } from './export.js';
import { forwardCommand } from './forward.js';
import { importDataCommand } from './import-data.js';
import { inferCommand } from './infer.js';
import { mergeCommand } from './merge.js';
import type { GlobalOptions } from './options.js';
import { type CommandGroup, SETUP } from './overview.js';
import { serveCommand } from './serve.js';
import { trainCommand } from './train.js';

/** All commands by purpose, in the order of the help. */
export const commandGroups = [
  { title: 'Segment images', commands: [inferCommand, mergeCommand] },
  { title: 'Fine-tune', commands: [demoCommand, trainCommand] },
  { title: 'Evaluate', commands: [evalCommand] },
  { title: 'Data', commands: [importDataCommand, checkDataCommand, deidentifyCommand] },
  { title: 'Serve', commands: [serveCommand] },
  { title: 'Models', commands: [downloadCommand, exportCommand, forwardCommand] },
  { title: 'Machine', commands: [SETUP, doctorCommand] },
] as unknown as readonly CommandGroup[];

/** The commands implemented here. */
export const commands: readonly CommandModule<GlobalOptions, never>[] = commandGroups
  .flatMap((group) => group.commands)
  .filter(({ command }) => command !== SETUP.command);
