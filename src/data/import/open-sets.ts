import { createHash } from 'node:crypto';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { DataError, type Logger, silentLogger } from '../../util/index.js';
import { CocoDataset, type Part } from '../coco.js';
import { ConcatDataset } from '../concat.js';
import { KeptDataset, type SampleStore } from '../kept.js';
import { RenameDataset } from '../rename.js';
import { RepeatDataset } from '../repeat.js';
import type { Dataset } from '../types.js';
import { importDataset } from './import-dataset.js';
import { isSpelling, knownAdapter } from './registry.js';
import type { Adapter, Protocol } from './types.js';

/** One of several datasets. */
export interface SetRequest {
  /** A dataset that can be imported, or what one's own is called. */
  readonly name: string;
  /** Its folder below the root. Default: the one that has its name, in any spelling. */
  readonly folder?: string | undefined;
  /** How often each of its training images comes up in one pass. Default: 1. */
  readonly repeat?: number | undefined;
  /** What its phrases are called from now on. Default: as the dataset calls them. */
  readonly phrases?: Readonly<Record<string, string>> | undefined;
}

/** Where several datasets are and how they are taken. */
export interface SetsOptions {
  /** The folder that holds a folder a dataset. */
  readonly root: string;
  /** Of sets that are imported on the fly; those that are imported already must have it. */
  readonly protocol: Protocol;
  /** What a dataset that is not there does. */
  readonly missing: 'error' | 'skip';
  /** Of the parts of sets that are imported on the fly. */
  readonly seed: number;
  /** Where those are written. Default: `sonoground/datasets` in the user's cache. */
  readonly cache?: string | undefined;
  /** Where decoded samples are kept. Default: each is read whenever it is asked for. */
  readonly store?: SampleStore | undefined;
  readonly logger?: Logger | undefined;
}

const PARTS = ['train', 'val', 'test'] as const;

/**
 * Opens several datasets as one. A folder in the project's layout is read; one in its published layout is imported into a
 * cache first. Datasets that are held back from training are in the test part only.
 *
 * @throws DataError that says where to get a dataset that is not there, or that none of them is.
 */
export async function openSets(sets: readonly SetRequest[], options: SetsOptions): Promise<Record<Part, Dataset>> {
  const { root, missing, logger = silentLogger } = options;
  const opened: Record<Part, Dataset[]> = { train: [], val: [], test: [] };
  const folders = await readdir(root, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    throw new DataError({ where: root, what: `the folder cannot be read (${cause.code})`, fix: 'Check data.root', cause });
  });
  const names = folders.filter((entry) => !entry.isFile()).map((entry) => entry.name);
  const absent: string[] = [];
  for (const set of sets) {
    const adapter = knownAdapter(set.name);
    const own = [(name: string) => name === set.name, (name: string) => isSpelling(name, set.name, adapter)];
    const folder = set.folder ?? own.map((fits) => names.find(fits)).find((name) => name !== undefined);
    if (folder === undefined || !(await isFolder(join(root, folder)))) {
      absent.push(set.name);
      if (missing === 'error') throw notThere(set, adapter, root);
      logger.warn(`${set.name} is not in ${root} and left out; it comes from ${adapter?.source ?? 'you'}`);
      continue;
    }
    const place = await layoutOf(join(root, folder), set, adapter, options);
    for (const part of PARTS) {
      if (adapter?.unseen === true && part !== 'test') continue;
      const read = await CocoDataset.open(place, part, set.name);
      const whole = options.store === undefined ? read : new KeptDataset(read, options.store);
      opened[part].push(taken(whole, part, set));
    }
  }
  if (absent.length === sets.length)
    throw new DataError({
      where: root,
      what: `none of the datasets is there (${absent.join(', ')})`,
      fix: 'Put each into a folder of its name',
    });
  const name = basename(root);
  return {
    train: new ConcatDataset(name, opened.train),
    val: new ConcatDataset(name, opened.val),
    test: new ConcatDataset(name, opened.test),
  };
}

/** A part of a dataset under the phrases that it is asked for here; images to train on come up as often as wanted. */
function taken(whole: Dataset, part: Part, { repeat = 1, phrases = {} }: SetRequest): Dataset {
  const named = Object.keys(phrases).length > 0 ? new RenameDataset(whole, phrases) : whole;
  return part === 'train' && repeat > 1 ? new RepeatDataset(named, repeat) : named;
}

/** The folder in the project's layout: the dataset's own, or one in the cache. */
async function layoutOf(
  folder: string,
  { name }: SetRequest,
  adapter: Adapter | undefined,
  options: SetsOptions,
): Promise<string> {
  const { protocol, seed, logger = silentLogger } = options;
  if (await isFolder(join(folder, 'annotations'))) {
    const made = await protocolOf(folder);
    if (made === undefined || made === protocol || adapter === undefined) return folder;
    const fix = `Import it with --protocol ${protocol}, or set data.protocol: ${made}`;
    throw new DataError({ where: folder, what: `it was imported with protocol ${made}, not ${protocol}`, fix });
  }
  if (adapter === undefined)
    throw new DataError({
      where: folder,
      what: `it has no annotations/, and ${name} is not a dataset that can be imported`,
      fix: 'Import it with npm run import-data first',
    });
  const cache = options.cache ?? datasetCache();
  const key = createHash('sha256')
    .update(await realpath(folder))
    .digest('hex')
    .slice(0, 12);
  const to = join(cache, `${adapter.name}-${protocol}-${seed}-${key}`);
  logger.info(`${name} is as published; importing it into ${to}`);
  const report = await importDataset({ dataset: adapter.name, from: folder, to, protocol, seed, logger });
  if (report.problems.length > 0)
    logger.warn(`${name}: ${report.problems.length} left out, listed in ${join(to, 'report.json')}`);
  return to;
}

/** Where datasets are imported to on the fly. */
function datasetCache(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return join(env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache'), 'sonoground', 'datasets');
}

async function protocolOf(folder: string): Promise<string | undefined> {
  const text = await readFile(join(folder, 'report.json'), 'utf8').catch(() => undefined);
  try {
    return text === undefined ? undefined : (JSON.parse(text) as { protocol?: string }).protocol;
  } catch {
    return undefined;
  }
}

function notThere({ name, folder }: SetRequest, adapter: Adapter | undefined, root: string): DataError {
  const where = join(root, folder ?? name);
  const get =
    adapter === undefined
      ? 'Put it there'
      : `${adapter.title} comes from ${adapter.source}: unpack it there, or import it with npm run import-data -- --dataset ${adapter.name} --from DIR --to ${where}`;
  return new DataError({
    where,
    what: `the dataset ${name} is not there`,
    fix: `${get}. data.missing: skip leaves out what is not there`,
  });
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}
