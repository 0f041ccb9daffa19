import { createHash } from 'node:crypto';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { DataError, type Logger, silentLogger, unreadableCode } from '../../util/index.js';
import { BackgroundDataset, PasteDataset } from '../augment/index.js';
import { CocoDataset, type Split } from '../coco.js';
import { ConcatDataset } from '../concat.js';
import { KeptDataset, type SampleStore } from '../kept.js';
import { RenameDataset } from '../rename.js';
import { RepeatDataset } from '../repeat.js';
import type { Dataset } from '../types.js';
import { importDataset } from './import-dataset.js';
import { isSpelling, knownImporter } from './registry.js';
import type { Importer, Protocol } from './types.js';

/** One of several datasets. */
export interface SetRequest {
  /** An importable dataset, or the name of a user-provided one. */
  readonly name: string;
  /** Its folder below the root. Default: the one with its name, in any spelling. */
  readonly folder?: string | undefined;
  /** Repetitions of each training image per epoch. Default: 1. */
  readonly repeat?: number | undefined;
  /** Fraction of training images that receive an object of another one; see {@link PasteDataset}. Default: 0. */
  readonly paste?: number | undefined;
  /** Fraction of training images that are cut to a part without objects; see {@link BackgroundDataset}. Default: 0. */
  readonly background?: number | undefined;
  /** Renames its phrases. Default: unchanged. */
  readonly phrases?: Readonly<Record<string, string>> | undefined;
}

/** Location and treatment of several datasets. */
export interface SetsOptions {
  /** The folder that contains one folder per dataset. */
  readonly root: string;
  /** Protocol of sets imported on the fly; sets imported earlier must match. */
  readonly protocol: Protocol;
  /** How to treat a missing dataset. */
  readonly missing: 'error' | 'skip';
  /** Seed of the splits of sets imported on the fly. */
  readonly seed: number;
  /** Target of imports on the fly. Default: `sonoground/datasets` in the user's cache. */
  readonly cache?: string | undefined;
  /** Cache of decoded samples. Default: none; every load reads the files. */
  readonly store?: SampleStore | undefined;
  readonly logger?: Logger | undefined;
}

const SPLITS = ['train', 'val', 'test'] as const;

/**
 * Opens several datasets as one. A folder in the project's layout is read; one in its published layout is first imported into a
 * cache. Datasets held back from training are in the test split only.
 *
 * @throws DataError that states where to get a missing dataset, or that all of them are missing.
 */
export async function openSets(sets: readonly SetRequest[], options: SetsOptions): Promise<Record<Split, Dataset>> {
  const { root, missing, logger = silentLogger } = options;
  const opened: Record<Split, Dataset[]> = { train: [], val: [], test: [] };
  const folders = await readdir(root, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    throw new DataError({
      code: unreadableCode(cause),
      where: root,
      what: `the folder cannot be read (${cause.code})`,
      fix: 'Check data.root',
      cause,
    });
  });
  const names = folders.filter((entry) => !entry.isFile()).map((entry) => entry.name);
  const absent: string[] = [];
  for (const set of sets) {
    const importer = knownImporter(set.name);
    const own = [(name: string) => name === set.name, (name: string) => isSpelling(name, set.name, importer)];
    const folder = set.folder ?? own.map((fits) => names.find(fits)).find((name) => name !== undefined);
    if (folder === undefined || !(await isFolder(join(root, folder)))) {
      absent.push(set.name);
      if (missing === 'error') throw notThere(set, importer, root);
      logger.warn(`${set.name} is not in ${root} and left out; it comes from ${importer?.source ?? 'you'}`);
      continue;
    }
    const place = await layoutOf(join(root, folder), set, importer, options);
    for (const split of SPLITS) {
      if (importer?.unseen === true && split !== 'test') continue;
      const read = await CocoDataset.open(place, split, set.name);
      const whole = options.store === undefined ? read : new KeptDataset(read, options.store);
      opened[split].push(taken(whole, split, set, options.seed));
    }
  }
  if (absent.length === sets.length)
    throw new DataError({
      code: 'E_DATASET_NOT_IMPORTED',
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

/** A split of a dataset with renamed phrases; training images are repeated, cut, and receive objects, as requested. */
function taken(whole: Dataset, split: Split, request: SetRequest, seed: number): Dataset {
  const { repeat = 1, paste = 0, background = 0, phrases = {} } = request;
  const named = Object.keys(phrases).length > 0 ? new RenameDataset(whole, phrases) : whole;
  if (split !== 'train') return named;
  const repeated = repeat > 1 ? new RepeatDataset(named, repeat) : named;
  const cut = background > 0 ? new BackgroundDataset(repeated, { chance: background, seed }) : repeated;
  return paste > 0 ? new PasteDataset(cut, { chance: paste, seed }) : cut;
}

/** The folder in the project's layout: the dataset's own, or one in the cache. */
async function layoutOf(
  folder: string,
  { name }: SetRequest,
  importer: Importer | undefined,
  options: SetsOptions,
): Promise<string> {
  const { protocol, seed, logger = silentLogger } = options;
  if (await isFolder(join(folder, 'annotations'))) {
    const made = await protocolOf(folder);
    if (made === undefined || made === protocol || importer === undefined) return folder;
    const fix = `Import it with --protocol ${protocol}, or set data.protocol: ${made}`;
    throw new DataError({
      code: 'E_DATASET_OTHER',
      where: folder,
      what: `it was imported with protocol ${made}, not ${protocol}`,
      fix,
    });
  }
  if (importer === undefined)
    throw new DataError({
      code: 'E_DATASET_NOT_IMPORTED',
      where: folder,
      what: `it has no annotations/, and ${name} is not a dataset that can be imported`,
      fix: 'Import it first',
    });
  const cache = options.cache ?? datasetCache();
  const key = createHash('sha256')
    .update(await realpath(folder))
    .digest('hex')
    .slice(0, 12);
  const to = join(cache, `${importer.name}-${protocol}-${seed}-${key}`);
  logger.info(`${name} is as published; importing it into ${to}`);
  const report = await importDataset({ dataset: importer.name, from: folder, to, protocol, seed, logger });
  if (report.problems.length > 0)
    logger.warn(`${name}: ${report.problems.length} left out, listed in ${join(to, 'report.json')}`);
  return to;
}

/** Target of imports on the fly. */
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

function notThere({ name, folder }: SetRequest, importer: Importer | undefined, root: string): DataError {
  const where = join(root, folder ?? name);
  const get =
    importer === undefined ? 'Put it there' : `${importer.title} comes from ${importer.source}: unpack it there, or import it`;
  return new DataError({
    code: 'E_DATASET_NOT_IMPORTED',
    where,
    what: `the dataset ${name} is not there`,
    fix: `${get}. data.missing: skip leaves out what is not there`,
  });
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}
