import type { CommandModule } from 'yargs';
import { checkDataCommand } from './check-data.js';
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
import { serveCommand } from './serve.js';
import { trainCommand } from './train.js';

/** Every command; the order is that of the help. */
export const commands = [
  demoCommand,
  importDataCommand,
  checkDataCommand,
  trainCommand,
  evalCommand,
  inferCommand,
  exportCommand,
  mergeCommand,
  serveCommand,
  forwardCommand,
  downloadCommand,
  doctorCommand,
] as unknown as readonly CommandModule<GlobalOptions, never>[];
