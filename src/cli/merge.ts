import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { mergeBatches } from '../infer/index.js';
import { consoleLogger } from './console-logger.js';
import type { GlobalOptions } from './options.js';

interface MergeCommandOptions extends GlobalOptions {
  from: string[];
  to: string;
  partial: boolean;
}

export const mergeCommand: CommandModule<GlobalOptions, MergeCommandOptions> = {
  command: 'merge',
  describe: 'put the parts of infer --shard together',
  builder: (args) =>
    args
      .option('from', { type: 'string', array: true, demandOption: true, describe: 'folders of the parts' })
      .option('to', { type: 'string', demandOption: true, describe: 'folder for results.json, overlays/ and masks/' })
      .option('partial', { type: 'boolean', default: false, describe: 'although parts are missing' })
      .example('$0 merge --from out/shards/* --to out', 'all parts; the same again adds what came later') as never,
  handler: async ({ from, to, partial }) => {
    const { images, found, lacking } = await mergeBatches({ from, to, partial, logger: consoleLogger });
    consoleLogger.info(`${images} images, ${found} found in all: ${join(to, 'results.json')}`);
    if (lacking.length > 0) process.exitCode = 1;
  },
};
