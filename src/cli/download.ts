import type { CommandModule } from 'yargs';
import {
  downloadModel,
  exportFiles,
  findCachedOrMain,
  type HubEvent,
  type HubSettings,
  hubSettings,
  knownModels,
  parseModelName,
  prepareFolder,
} from '../pretrained/hub/index.js';
import { UsageError } from '../util/index.js';
import { consoleLogger } from './console-logger.js';
import type { GlobalOptions } from './options.js';
import { type Progress, startProgress } from './progress.js';
import { printResult } from './terminal.js';

interface DownloadOptions extends GlobalOptions {
  name: string | undefined;
  list: boolean;
  to: string | undefined;
  file: string[];
}

export const downloadCommand: CommandModule<GlobalOptions, DownloadOptions> = {
  command: 'download [name]',
  describe: 'download pretrained weights into the Hugging Face cache and verify them; resumes',
  builder: (args) =>
    args
      .positional('name', { type: 'string', describe: 'a name from --list, or owner/repo, optionally with @revision' })
      .option('list', { type: 'boolean', default: false, describe: 'show the known names and what is in the cache' })
      .option('to', { type: 'string', describe: 'also copy the files to this folder' })
      .option('file', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'download these files instead of configuration, tokenizer and weights',
      })
      .example('$0 download grounding-dino-tiny', 'the last line printed is the folder to pass to --detector')
      .example('$0 download sam2.1-hiera-small --to weights/sam2.1', 'also as a plain folder')
      .example('$0 download owner/repo@revision', 'any model, at a commit, branch or tag')
      .epilogue(
        'Reads HF_ENDPOINT, HF_TOKEN, HF_HUB_CACHE, HF_HOME and HF_HUB_OFFLINE like the Python client, and shares its cache.',
      ) as never,
  handler: async ({ name, list, to, file }) => {
    const settings = await hubSettings(process.env);
    if (list) return showList(settings);
    if (name === undefined)
      throw new UsageError({
        code: 'E_OPTION_MISSING',
        where: 'download',
        what: 'no model is named',
        fix: 'Name one of `sonoground download --list`',
      });
    if (to !== undefined) await prepareFolder(to);
    const show = new Display(name);
    try {
      const model = await downloadModel(name, { settings, files: file, report: (event) => show.take(event) });
      if (to !== undefined) {
        await exportFiles(model, to);
        consoleLogger.info(`copy: ${to}`);
      }
      process.stdout.write(`${model.folder}\n`);
    } finally {
      show.stop();
    }
  },
};

/** Prints events as lines and bytes as a progress bar. */
class Display {
  private bar: Progress | undefined;
  private readonly begin = Date.now();
  constructor(private readonly label: string) {}

  take(event: HubEvent): void {
    if (event.kind === 'progress') this.advance(event);
    else if (event.kind !== 'cached') this.say(event);
  }

  stop(): void {
    this.bar?.stop();
    this.bar = undefined;
  }

  private say(event: Exclude<HubEvent, { kind: 'progress' | 'cached' }>): void {
    this.stop();
    if (event.kind === 'retry' || event.kind === 'cache-only') consoleLogger.warn(lineOf(event));
    else consoleLogger.info(lineOf(event));
  }

  private advance({ done, total, file }: Extract<HubEvent, { kind: 'progress' }>): void {
    // After rounding, the last chunks would repeatedly look like completion.
    if (done === 0 || (done < total && megabytes(done) === megabytes(total))) return;
    this.bar ??= startProgress(`MB of ${this.label}`);
    const rate = done / 1000 / Math.max(1, Date.now() - this.begin);
    this.bar.update(megabytes(done), megabytes(total), `${rate.toFixed(1)} MB/s, ${file}`);
  }
}

function lineOf(event: Exclude<HubEvent, { kind: 'progress' | 'cached' }>): string {
  switch (event.kind) {
    case 'resolved':
      return `${event.repo} at commit ${event.commit}${event.revision === event.commit ? '' : ` (${event.revision})`}`;
    case 'fetching':
      return `${event.file}, ${size(event.bytes)}${event.from > 0 ? `, resuming at ${size(event.from)}` : ''}`;
    case 'retry':
      return `${event.reason}; retrying in ${Math.ceil(event.waitMs / 1000)} s`;
    case 'waiting':
      return `${event.file}: waiting for another process that is downloading it`;
    case 'cache-only':
      return `${event.reason}. Using the cached copy`;
  }
}

async function showList(settings: HubSettings): Promise<void> {
  const rows: string[][] = [];
  for (const [name, { repo, commit, bytes }] of Object.entries(knownModels)) {
    const cached = await findCachedOrMain(settings, parseModelName(name));
    rows.push([
      name,
      bytes === undefined ? '' : `${Math.round(bytes / 1e6)} MB`,
      cached === undefined ? '' : 'in the cache',
      `${repo}@${commit?.slice(0, 7) ?? 'main'}`,
    ]);
  }
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  for (const line of lines) printResult(line);
  consoleLogger.info(`cache: ${settings.cacheDir}`);
}

function size(bytes: number): string {
  return bytes < 1e5 ? `${bytes} bytes` : `${megabytes(bytes)} MB`;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e5) / 10;
}
