import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { locateShipped } from '../config/index.js';
import { type AuditReport, auditDatasets, openFolders, writeAuditPage } from '../data/index.js';
import { counted, writeFileAtomic } from '../util/index.js';
import { consoleLogger } from './console-logger.js';
import type { GlobalOptions } from './options.js';
import { startProgress } from './progress.js';

interface CheckDataOptions extends GlobalOptions {
  data: string[];
  out: string | undefined;
}

/** Problems that are printed. */
const TOLD = 10;

export const checkDataCommand: CommandModule<GlobalOptions, CheckDataOptions> = {
  command: 'check-data',
  describe: 'find damaged files, wrong boxes, and patients or images that are in more than one split',
  builder: (args) =>
    args
      .option('data', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'folders of imported datasets, or folders of such folders',
      })
      .option('out', {
        type: 'string',
        describe:
          'folder for audit.json and audit.html; default: the first of --data, or the working directory for data shipped with sonoground',
      })
      .example('$0 check-data --data data/busi data/tn3k', 'two datasets, also compared with each other')
      .example('$0 check-data --data data', 'all datasets in a folder') as never,
  handler: async ({ data, out }) => {
    const folders = await Promise.all(data.map(locateShipped));
    const { splits, problems } = await openFolders(folders);
    const progress = startProgress('images');
    const report = await auditDatasets(splits, {
      problems,
      onProgress: (done, total, file) => progress.update(done, total, file),
    }).finally(() => progress.stop());
    const [first] = folders as [string];
    const folder = out ?? (first === data[0] ? first : '.');
    const json = join(folder, 'audit.json');
    const page = join(folder, 'audit.html');
    await writeFileAtomic(json, `${JSON.stringify(report, null, 2)}\n`);
    await writeAuditPage(page, report, splits);
    tell(report);
    consoleLogger.info(`${page}, ${json}`);
    if (report.errors > 0) process.exitCode = 1;
  },
};

function tell({ datasets, problems, groups, duplicates, errors, warnings, images, cached }: AuditReport): void {
  for (const { name, splits } of datasets) {
    const counts = Object.entries(splits).map(([split, { images: n }]) => `${split} ${n}`);
    consoleLogger.info(`${name}: ${counts.join(', ')}`);
  }
  const lines = [
    ...groups.map(({ dataset, group, splits }) => `error: ${dataset}: ${group} is in ${Object.keys(splits).join(' and ')}`),
    ...duplicates.map(
      ({ level, kind, a, b }) =>
        `${level}: ${a.dataset} ${a.split} ${a.file} and ${b.dataset} ${b.split} ${b.file} are ${kind === 'exact' ? 'the same image' : 'similar'}`,
    ),
    ...problems.map(({ level, dataset, file, what }) => `${level}: ${dataset}/${file}: ${what}`),
  ].sort((a, b) => Number(a.startsWith('warning')) - Number(b.startsWith('warning')));
  for (const line of lines.slice(0, TOLD)) consoleLogger.info(line);
  if (lines.length > TOLD) consoleLogger.info(`and ${lines.length - TOLD} more`);
  consoleLogger.info(
    `${counted(images, 'image')} (${cached} from the cache): ${counted(errors, 'error')}, ${counted(warnings, 'warning')}`,
  );
}
