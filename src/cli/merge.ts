import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { hasAnswers, mergeAnswers } from '../eval/index.js';
import { mergeBatches } from '../infer/index.js';
import { counted } from '../util/index.js';
import { consoleLogger } from './console-logger.js';
import type { GlobalOptions } from './options.js';
import { throughputLines } from './times-line.js';

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
      .option('from', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'folders of the shards; for eval, run folders',
      })
      .option('to', { type: 'string', demandOption: true, describe: 'folder for the merged results; for eval, the run folder' })
      .option('partial', { type: 'boolean', default: false, describe: 'merge even if shards are missing' })
      .example('$0 merge --from out/shards/* --to out', 'all shards; run it again to add later ones')
      .example('$0 merge --from a/runs/us b/runs/us --to runs/us', 'predictions from machines without a shared disk') as never,
  handler: async ({ from, to, partial }) => {
    if ((await Promise.all(from.map(hasAnswers))).some(Boolean)) {
      consoleLogger.info(`${await mergeAnswers(from, to)} predictions added to ${to}; run eval to report`);
      return;
    }
    const { images, found, lacking, results, times } = await mergeBatches({ from, to, partial, logger: consoleLogger });
    const file = results === 'parquet' ? 'results.parquet' : 'results.json';
    consoleLogger.info(`${counted(images, 'image')}, ${counted(found, 'object')} found in total: ${join(to, file)}`);
    for (const line of throughputLines(times)) consoleLogger.info(line);
    if (lacking.length > 0) process.exitCode = 1;
  },
};
