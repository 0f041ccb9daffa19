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

/** Problems that are shown; all of them are in the report. */
const SHOWN = 10;

export const importDataCommand: CommandModule<GlobalOptions, ImportDataOptions> = {
  command: 'import-data',
  describe: 'convert a published dataset, or your own, into one layout with train, val and test splits',
  builder: (args) =>
    args
      .option('dataset', {
        type: 'string',
        demandOption: true,
        describe: `one of ${importers.map(({ name }) => name).join(', ')}`,
      })
      .option('from', { type: 'string', demandOption: true, describe: 'the folder into which the dataset was unpacked' })
      .option('to', { type: 'string', demandOption: true, describe: 'the folder that is written' })
      .option('protocol', {
        choices: ['strict', 'paper'] as const,
        default: 'strict' as const,
        describe: 'strict: patients kept apart, right words; paper: as published, which leaks',
      })
      .option('on-bad', {
        choices: ['stop', 'skip'] as const,
        default: 'skip' as const,
        describe: 'what a bad file does: end the import, or be left out and listed in report.json',
      })
      .option('seed', { type: 'number', default: 42, describe: 'of the division 70/20/10' })
      .option('official-splits', { type: 'boolean', default: false, describe: "the publisher's parts, where there are any" })
      .option('splits', {
        type: 'string',
        describe: 'a division to use, as splits.json of another import; those of configs/splits were drawn by seed 42',
      })
      .option('variant', { type: 'string', describe: 'a version within the archive, as stage2 of tnscui' })
      .option('prompt', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'what the objects of folders or nifti are called; several for label values 1, 2, …',
      })
      .option('overwrite', {
        type: 'boolean',
        default: false,
        describe: 'replace an earlier import in --to, or fill a used folder',
      })
      .example('$0 import-data --dataset busi --from Dataset_BUSI_with_GT --to data/busi', 'one of the paper')
      .example('$0 import-data --dataset folders --from mine --to data/mine --prompt "liver tumor"', "one's own")
      .epilogue(
        'Writes annotations/{train,val,test}.json (COCO), images/, masks/ and report.json. Bad files are left out, counted and listed; the exit code is 0 as long as anything was imported. A stopped import goes on where it was.',
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
  const parts = (['train', 'val', 'test'] as const).map(
    (part) =>
      `  ${part.padEnd(5)} ${counts[part].images} images, ${counts[part].rows} objects${negatives[part] > 0 ? `, ${negatives[part]} without one` : ''}`,
  );
  const listed = problems.slice(0, SHOWN).map(({ file, what }) => `  ${file}: ${what}`);
  const more = problems.length > SHOWN ? [`  … and ${problems.length - SHOWN} more in report.json`] : [];
  const bad = problems.length === 0 ? [] : [`warning: ${problems.length} left out:`, ...listed, ...more];
  const kept = (copies?.across.length ?? 0) > 0 ? 'listed in report.json' : 'each kept in one part';
  const alike =
    copies === undefined || copies.images === 0
      ? []
      : [`  ${copies.images} images are copies of others or alike: ${copies.groups} groups, ${kept}`];
  return [`${title}, in ${(ms / 1000).toFixed(1)} s:`, ...parts, ...alike, ...bad, `written to ${to}`];
}
