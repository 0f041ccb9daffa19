import type { CommandModule } from 'yargs';
import { locateShipped } from '../config/index.js';
import { findImporter, type ImportReport, importDataset, importers } from '../data/index.js';
import { consoleLogger } from './console-logger.js';
import type { GlobalOptions } from './options.js';
import { startProgress } from './progress.js';

interface ImportDataOptions extends GlobalOptions {
  dataset: string;
  from: string;
  to: string;
  protocol: 'strict' | 'paper';
  onBad: 'stop' | 'skip';
  seed: number;
  officialSplits: boolean;
  splits: string | undefined;
  variant: string | undefined;
  prompt: string[];
  overwrite: boolean;
}

/** Problems printed; the report has all of them. */
const SHOWN = 10;

export const importDataCommand: CommandModule<GlobalOptions, ImportDataOptions> = {
  command: 'import-data',
  describe: 'convert a published dataset, or your own, to one layout with train, val and test splits',
  builder: (args) =>
    args
      .option('dataset', {
        type: 'string',
        demandOption: true,
        describe: `one of ${importers.map(({ name }) => name).join(', ')}`,
      })
      .option('from', { type: 'string', demandOption: true, describe: 'folder of the unpacked dataset' })
      .option('to', { type: 'string', demandOption: true, describe: 'folder to write' })
      .option('protocol', {
        choices: ['strict', 'paper'] as const,
        default: 'strict' as const,
        describe: 'strict: patients kept apart, correct names; paper: as published, which leaks patients between splits',
      })
      .option('on-bad', {
        choices: ['stop', 'skip'] as const,
        default: 'skip' as const,
        describe: 'what to do with an unusable file: stop, or skip it and list it in report.json',
      })
      .option('seed', { type: 'number', default: 42, describe: 'seed of the 70/20/10 split' })
      .option('official-splits', { type: 'boolean', default: false, describe: "use the publisher's splits, if there are any" })
      .option('splits', {
        type: 'string',
        describe: 'file with the splits to use: splits.json of another import, or one from configs/splits (drawn with seed 42)',
      })
      .option('variant', { type: 'string', describe: 'a version within the archive, such as stage2 of tnscui' })
      .option('prompt', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'name of the objects, for folders and nifti; several for label values 1, 2, …',
      })
      .option('overwrite', {
        type: 'boolean',
        default: false,
        describe: 'replace an earlier import in --to, or write to a folder that is not empty',
      })
      .example('$0 import-data --dataset busi --from Dataset_BUSI_with_GT --to data/busi', "one of the paper's datasets")
      .example('$0 import-data --dataset folders --from mine --to data/mine --prompt "liver tumor"', 'your own files')
      .epilogue(
        'Writes annotations/{train,val,test}.json (COCO), images/, masks/ and report.json. Unusable files are skipped, counted and listed; the exit code is 0 if anything was imported. The same command resumes an interrupted import.',
      ) as never,
  handler: async ({ dataset, prompt, variant, from, splits, ...options }) => {
    const { title } = findImporter(dataset);
    const bar = startProgress(`images of ${title}`);
    const begin = Date.now();
    try {
      const report = await importDataset({
        ...options,
        from: await locateShipped(from),
        splits: splits === undefined ? undefined : await locateShipped(splits),
        dataset,
        prompts: prompt,
        ...(variant === undefined ? {} : { variant }),
        logger: consoleLogger,
        onProgress: (done, total) => bar.update(done, total),
      });
      bar.stop();
      for (const line of summary(report, title, options.to, Date.now() - begin)) consoleLogger.info(line);
    } finally {
      bar.stop();
    }
  },
};

function summary({ counts, problems, negatives, copies }: ImportReport, title: string, to: string, ms: number): string[] {
  const splits = (['train', 'val', 'test'] as const).map(
    (split) =>
      `  ${split.padEnd(5)} ${counts[split].images} images, ${counts[split].rows} objects${negatives[split] > 0 ? `, ${negatives[split]} without any` : ''}`,
  );
  const listed = problems.slice(0, SHOWN).map(({ file, what }) => `  ${file}: ${what}`);
  const more = problems.length > SHOWN ? [`  … and ${problems.length - SHOWN} more in report.json`] : [];
  const bad = problems.length === 0 ? [] : [`warning: ${problems.length} skipped:`, ...listed, ...more];
  const kept = (copies?.across.length ?? 0) > 0 ? 'listed in report.json' : 'each kept within one split';
  const alike =
    copies === undefined || copies.images === 0
      ? []
      : [`  ${copies.images} images are copies of others or nearly so: ${copies.groups} groups, ${kept}`];
  return [`${title}, in ${(ms / 1000).toFixed(1)} s:`, ...splits, ...alike, ...bad, `written to ${to}`];
}
