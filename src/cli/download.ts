import { basename, dirname, join } from 'node:path';
import type { CommandModule } from 'yargs';
import {
  type AboutModel,
  downloadFile,
  downloadModel,
  exportFiles,
  findCachedFile,
  findCachedOrMain,
  type HubEvent,
  type HubSettings,
  hubSettings,
  knownFiles,
  knownModels,
  parseFileName,
  parseModelName,
  prepareFolder,
  requireSha256,
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
  sha256: string | undefined;
}

export const downloadCommand: CommandModule<GlobalOptions, DownloadOptions> = {
  command: 'download [name]',
  describe: 'download pretrained weights into the Hugging Face cache and verify them; resumes',
  builder: (args) =>
    args
      .positional('name', {
        type: 'string',
        describe: 'a name from --list; owner/repo, optionally with @revision; github:OWNER/REPO@TAG/FILE; gdrive:ID/FILE',
      })
      .option('list', {
        type: 'boolean',
        default: false,
        describe: 'show the known names: parameters, licence, training data, and what is in the cache',
      })
      .option('to', { type: 'string', describe: 'also copy the files to this folder' })
      .option('file', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'download these files instead of configuration, tokenizer and weights',
      })
      .option('sha256', {
        type: 'string',
        describe: 'hash that a file of GitHub or Google Drive must have, or the only one of --file',
      })
      .example('$0 download grounding-dino-tiny', 'the last line printed is the folder to pass to --detector')
      .example('$0 download sam2.1-hiera-small --to weights/sam2.1', 'also as a plain folder')
      .example('$0 download owner/repo@revision', 'any model, at a commit, branch or tag')
      .example('$0 download gdrive:ID/samus.pth --sha256 HASH', 'a file on Google Drive, verified')
      .epilogue(
        'Reads HF_ENDPOINT, HF_TOKEN, HF_HUB_CACHE, HF_HOME and HF_HUB_OFFLINE like the Python client, and shares its cache. SONOGROUND_GITHUB and SONOGROUND_GDRIVE name mirrors of the other hosts.',
      ) as never,
  handler: async ({ name, list, to, file, sha256 }) => {
    const settings = await hubSettings(process.env);
    if (list) return showList(settings);
    if (name === undefined)
      throw new UsageError({
        code: 'E_OPTION_MISSING',
        where: 'download',
        what: 'no model is named',
        fix: 'Name one of `sonoground download --list`',
      });
    const about = Object.hasOwn(knownModels, name) ? knownModels[name] : undefined;
    const outside = parseFileName(name);
    warnRestricted(name, outside?.about ?? about);
    if (outside === undefined && sha256 !== undefined && file.length !== 1)
      throw new UsageError({
        code: 'E_OPTION_CONFLICT',
        where: '--sha256',
        what: 'it is the hash of one file; models of the hub are verified by the hashes in its listing',
        fix: 'Name that file with --file, or leave the hash out',
      });
    if (outside !== undefined && file.length > 0)
      throw new UsageError({
        code: 'E_OPTION_CONFLICT',
        where: '--file',
        what: `${name} is a single file`,
        fix: 'Leave it out',
      });
    if (to !== undefined) await prepareFolder(to);
    const show = new Display(name);
    try {
      if (outside !== undefined) {
        const {
          path,
          bytes,
          sha256: got,
          verified,
        } = await downloadFile(name, {
          settings,
          sha256,
          report: (event) => show.take(event),
        });
        show.stop();
        consoleLogger.info(`${basename(path)}, ${bytes} bytes, SHA-256 ${got}`);
        if (!verified)
          consoleLogger.warn(
            'its host publishes no hash, so that nothing vouches for its content: compare this one with another source, and give it as --sha256 next time',
          );
        if (to !== undefined) {
          await exportFiles({ folder: dirname(path), files: [basename(path)] }, to);
          consoleLogger.info(`copy: ${to}`);
        }
        process.stdout.write(`${path}\n`);
        return;
      }
      const model = await downloadModel(name, { settings, files: file, report: (event) => show.take(event) });
      if (sha256 !== undefined) await requireSha256(join(model.folder, file[0] as string), sha256);
      if (to !== undefined) {
        await exportFiles(model, to);
        consoleLogger.info(`copy: ${to}`);
      }
      show.stop();
      if (about?.expectedLayer !== undefined && file.length === 0) await reportLayer(model.folder, about.expectedLayer);
      process.stdout.write(`${about?.file === undefined || file.length > 0 ? model.folder : join(model.folder, about.file)}\n`);
    } finally {
      show.stop();
    }
  },
};

function warnRestricted(name: string, about: AboutModel | undefined): void {
  if (about?.restricted !== undefined)
    consoleLogger.warn(`${name}: its use is restricted: ${about.restricted} (licence: ${about.licence})`);
}

/** Reports whether an adapter is complete: without a layer, the base model's own weights stay in use there, silently. */
async function reportLayer(folder: string, layer: string): Promise<void> {
  // Loads TensorFlow.js, which other downloads do not need.
  const { lacksLayer } = await import('../pretrained/index.js');
  if (await lacksLayer(folder, layer))
    consoleLogger.warn(
      `${layer} is not in the file: it was trained in full with this adapter, and without it boxes come from the base model's own last layer, so that published figures cannot be reproduced`,
    );
  else consoleLogger.info(`${layer} is in the file`);
}

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

interface ListedModel extends AboutModel {
  readonly name: string;
  readonly bytes?: number | undefined;
  readonly cached: boolean;
  readonly source: string;
}

/** Two lines a model: what it is called and where it is, and what one should know before using it. */
async function showList(settings: HubSettings): Promise<void> {
  const listed: ListedModel[] = [];
  for (const [name, model] of Object.entries(knownModels)) {
    const { repo, commit, file } = model;
    const cached = (await findCachedOrMain(settings, parseModelName(name))) !== undefined;
    const place = `${repo}@${commit?.slice(0, 7) ?? 'main'}`;
    listed.push({ ...model, name, cached, source: file === undefined ? place : `${place} ${file}` });
  }
  for (const [name, { source, about }] of Object.entries(knownFiles)) {
    const cached = (await findCachedFile(settings, source)) !== undefined;
    const place = source.kind === 'github' ? `github:${source.repo}@${source.tag}` : `gdrive:${source.id}`;
    listed.push({ ...about, name, cached, source: `${place}/${source.file}` });
  }
  const rows = listed.map(({ name, bytes, cached, source }) => [
    name,
    bytes === undefined ? '' : `${Math.round(bytes / 1e6)} MB`,
    cached ? 'in the cache' : '',
    source,
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const [k, row] of rows.entries()) {
    printResult(row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
    const { parameters, licence, restricted, trainedOn } = listed[k] as ListedModel;
    const limits = restricted === undefined ? '' : `, RESTRICTED: ${restricted}`;
    printResult(
      `    ${/\d/.test(parameters) ? `${parameters} parameters` : parameters}; licence: ${licence}${limits}; trained on: ${trainedOn}`,
    );
  }
  consoleLogger.info(`cache: ${settings.cacheDir}`);
}

function size(bytes: number): string {
  return bytes < 1e5 ? `${bytes} bytes` : `${megabytes(bytes)} MB`;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e5) / 10;
}
