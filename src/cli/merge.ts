import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { hasAnswers, mergeAnswers } from '../eval/index.js';
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
  describe: 'combine the results of infer --shard or eval --shard from several machines',
  builder: (args) =>
    args
      .option('from', { type: 'string', array: true, demandOption: true, describe: 'folders of the parts; of eval, run folders' })
      .option('to', { type: 'string', demandOption: true, describe: 'folder for all of it; of eval, the run folder' })
      .option('partial', { type: 'boolean', default: false, describe: 'although parts are missing' })
      .example('$0 merge --from out/shards/* --to out', 'all parts; the same again adds what came later')
      .example('$0 merge --from a/runs/us b/runs/us --to runs/us', 'answers of machines without a common disk') as never,
  handler: async ({ from, to, partial }) => {
    if ((await Promise.all(from.map(hasAnswers))).some(Boolean)) {
      consoleLogger.info(`${await mergeAnswers(from, to)} answers added to ${to}; eval reports`);
      return;
    }
    const { images, found, lacking } = await mergeBatches({ from, to, partial, logger: consoleLogger });
    consoleLogger.info(`${images} images, ${found} found in all: ${join(to, 'results.json')}`);
    if (lacking.length > 0) process.exitCode = 1;
  },
};
