import type { CommandModule } from 'yargs';
import { type BlankBox, deidentifyFolder, summaryOf } from '../deidentify/index.js';
import { UsageError } from '../util/index.js';
import { consoleLogger } from './console-logger.js';
import type { GlobalOptions } from './options.js';
import { startProgress } from './progress.js';

interface DeidentifyCommandOptions extends GlobalOptions {
  from: string;
  to: string;
  report: string | undefined;
  key: string | undefined;
  map: string | undefined;
  dates: 'remove' | 'shift';
  blank: string[];
}

export const deidentifyCommand: CommandModule<GlobalOptions, DeidentifyCommandOptions> = {
  command: 'deidentify',
  describe: 'remove patients from images: blank what lies outside of the scan and text in it, and rewrite headers',
  builder: (args) =>
    args
      .option('from', { type: 'string', demandOption: true, describe: 'folder of the originals; only read' })
      .option('to', { type: 'string', demandOption: true, describe: 'folder to write: new or empty' })
      .option('report', {
        type: 'string',
        describe: 'folder for report.html and report.json, which shows the originals; default: --to with -report appended',
      })
      .option('key', {
        type: 'string',
        describe: 'file of the key for new names and UIDs, made if missing: later runs with it give the same ones',
      })
      .option('map', { type: 'string', describe: 'file to write which output is of which original; default: written nowhere' })
      .option('dates', {
        choices: ['remove', 'shift'] as const,
        default: 'remove' as const,
        describe: 'of studies: remove them, or shift those of a patient by the same number of days',
      })
      .option('blank', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'further boxes to blank in all images, in pixels: left,top,right,bottom',
      })
      .example('$0 deidentify --from originals --to shared', 'DICOM, PNG, JPEG, TIFF, WebP and BMP, with the folders below')
      .example('$0 deidentify --from day2 --to shared2 --key study.key --dates shift', 'the names of an earlier run')
      .example('$0 deidentify --from originals --to shared --blank 0,0,639,30', 'a banner that was overlooked')
      .epilogue(
        'Nothing is certain until a person has looked: open report.html and compare. The report shows the originals, so keep it with them. Files that cannot be de-identified are listed and not copied; the exit code is then 1.',
      ) as never,
  handler: async ({ from, to, report, key, map, dates, blank }) => {
    const boxes = blank.map(boxOf);
    const progress = startProgress('files');
    const result = await deidentifyFolder({
      from,
      to,
      report,
      key,
      map,
      dates,
      blank: boxes,
      onProgress: (done, total, file) => progress.update(done, total, file),
    }).finally(() => progress.stop());
    for (const { file, what, code } of result.refused) consoleLogger.warn(`${file}: ${what} (${code}): not written`);
    consoleLogger.info(summaryOf(result.report));
    consoleLogger.info(`look at ${result.page} and keep it with the originals`);
    if (result.refused.length > 0) process.exitCode = 1;
  },
};

function boxOf(text: string): BlankBox {
  const values = text.split(',').map((value) => (/^\s*\d{1,6}\s*$/.test(value) ? Number(value) : Number.NaN));
  const [x0, y0, x1, y1] = values;
  if (
    values.length === 4 &&
    values.every(Number.isInteger) &&
    (x0 as number) <= (x1 as number) &&
    (y0 as number) <= (y1 as number)
  )
    return values as [number, number, number, number];
  throw new UsageError({
    code: 'E_OPTION_VALUE',
    where: '--blank',
    what: `"${text}" is no box`,
    fix: 'Give left,top,right,bottom in pixels, as in 0,0,639,30',
  });
}
