import {
  CocoDataset,
  ConcatDataset,
  type Dataset,
  FoldersDataset,
  KeptDataset,
  kFolds,
  openSets,
  PhantomDataset,
  phantomDomains,
  type SampleStore,
  StuDataset,
  Subset,
  splitIndices,
} from '../data/index.js';
import { phraseFrom, respelt } from '../prompts/index.js';
import { ConfigError, type Logger } from '../util/index.js';
import type { DataConfig } from './data-config.js';

/** The three parts of a run's data. */
export interface DataParts {
  readonly train: Dataset;
  readonly val: Dataset;
  readonly test: Dataset;
}

export interface OpenDataOptions {
  readonly logger?: Logger | undefined;
  /** Where decoded samples are kept, for whoever reads them again and again. Default: nowhere. */
  readonly store?: SampleStore | undefined;
}

/** Opens the data of a run, divided as its configuration says. */
export async function openData(data: DataConfig, seed: number, options: OpenDataOptions = {}): Promise<DataParts> {
  const { logger, store } = options;
  if (data.sets.length > 0 && data.format !== 'coco')
    throw new ConfigError({
      where: 'data.sets',
      what: `it is for format coco, not ${data.format}`,
      fix: 'Set data.format: coco',
    });
  switch (data.format) {
    case 'phantom':
      return phantomParts(data.phantom, seed);
    case 'coco': {
      if (data.sets.length > 0) return mixedParts(data, seed, options);
      const root = rootOf(data);
      const [train, val, test] = await Promise.all([
        CocoDataset.open(root, 'train'),
        CocoDataset.open(root, 'val'),
        CocoDataset.open(root, 'test'),
      ]);
      for (const line of new Set([train, val, test].flatMap((part) => part.respelt))) logger?.info(line);
      return { train: kept(train, store), val: kept(val, store), test: kept(test, store) };
    }
    default: {
      const whole = kept(await openWhole(data, logger), store);
      const { train, val, test } = splitIndices(whole.size, data.split, data.split.seed);
      return { train: new Subset(whole, train), val: new Subset(whole, val), test: new Subset(whole, test) };
    }
  }
}

function kept(dataset: Dataset, store: SampleStore | undefined): Dataset {
  return store === undefined ? dataset : new KeptDataset(dataset, store);
}

/** Datasets and phantoms as one. */
async function mixedParts(data: DataConfig, seed: number, { logger, store }: OpenDataOptions): Promise<DataParts> {
  const { protocol, missing, cache, split } = data;
  const onDisk = data.sets.filter(({ phantom }) => phantom === undefined);
  const generated = data.sets.flatMap(({ name, phantom, repeat, phrases }) => {
    if (phantom === undefined) return [];
    if (repeat !== undefined || phrases !== undefined)
      throw new ConfigError({
        where: `data.sets ${name}`,
        what: 'repeat and phrases are for datasets on disk, not for phantoms',
        fix: 'Set phantom.train and phantom.phrases',
      });
    return [phantomParts(phantom, seed)];
  });
  const options = { protocol, missing, cache, seed: split.seed, store, logger };
  const read = onDisk.length > 0 ? [await openSets(onDisk, { ...options, root: rootOf(data) })] : [];
  const name = read[0]?.train.name ?? 'phantoms';
  // Of the sets themselves, not of their union: a group's name says its dataset once, with phantoms beside it or without.
  const setsOf = (dataset: Dataset) => dataset.parts ?? [dataset];
  const part = (key: keyof DataParts) =>
    new ConcatDataset(
      name,
      [...read, ...generated].flatMap((parts) => setsOf(parts[key])),
    );
  return { train: part('train'), val: part('val'), test: part('test') };
}

/** The parts of each fold of a cross-validation: every image is tested once. */
export async function openFolds(data: DataConfig, folds: number, store?: SampleStore): Promise<DataParts[]> {
  if (data.format === 'phantom' || data.format === 'coco') {
    const what = `a dataset of format ${data.format} has parts of its own and cannot be divided into folds`;
    throw new ConfigError({ where: 'eval.folds', what, fix: 'Set eval.folds to 0' });
  }
  const whole = kept(await openWhole(data), store);
  return kFolds(whole.size, folds, data.split.seed).map(({ train, val, test }) => ({
    train: new Subset(whole, train),
    val: new Subset(whole, val),
    test: new Subset(whole, test),
  }));
}

async function openWhole(data: DataConfig, logger?: Logger): Promise<Dataset> {
  if (data.prompt === undefined) {
    throw new ConfigError({
      where: 'data.prompt',
      what: `a dataset of format ${data.format} does not name its objects`,
      fix: 'Say what to look for, as in data.prompt: breast lesion',
    });
  }
  const phrase = phraseFrom(data.prompt, 'data.prompt');
  for (const line of respelt([data.prompt])) logger?.info(line);
  return data.format === 'stu' ? StuDataset.open(rootOf(data), { phrase }) : FoldersDataset.open(rootOf(data), { phrase });
}

function phantomParts(phantom: DataConfig['phantom'], seed: number): DataParts {
  const domain = phantomDomains[phantom.domain];
  if (domain === undefined) {
    const known = Object.keys(phantomDomains).join(', ');
    throw new ConfigError({
      where: 'data.phantom.domain',
      what: `there is no domain ${phantom.domain}`,
      fix: `Choose one of ${known}`,
    });
  }
  const { width, height } = phantom.size;
  const phrases = phantom.phrases.length > 0 ? { phrases: phantom.phrases } : {};
  // Far-apart seeds: no phantom of one part can appear in another.
  const part = (size: number, k: number) => new PhantomDataset({ size, seed: seed * 4 + k, width, height, domain, ...phrases });
  return { train: part(phantom.train, 1), val: part(phantom.val, 2), test: part(phantom.test, 3) };
}

function rootOf({ root, format }: DataConfig): string {
  if (root === undefined)
    throw new ConfigError({
      where: 'data.root',
      what: `a dataset of format ${format} needs a folder`,
      fix: 'Name it in the file or with --set data.root=DIR',
    });
  return root;
}
