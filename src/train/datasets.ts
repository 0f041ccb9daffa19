import {
  ClipDataset,
  CocoDataset,
  ConcatDataset,
  type Dataset,
  FoldersDataset,
  KeptDataset,
  kFolds,
  openSets,
  PhantomClipDataset,
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

/** The three splits of a run's data. */
export interface DataSplits {
  readonly train: Dataset;
  readonly val: Dataset;
  readonly test: Dataset;
}

export interface OpenDataOptions {
  readonly logger?: Logger | undefined;
  /** Cache of decoded samples, for data that is read repeatedly. Default: none. */
  readonly store?: SampleStore | undefined;
}

/** Opens the data of a run, split according to its configuration. */
export async function openData(data: DataConfig, seed: number, options: OpenDataOptions = {}): Promise<DataSplits> {
  const splits = await openSamples(data, seed, options);
  if (data.sets.length > 0) return splits; // set by set already
  const clips = (split: keyof DataSplits) => asClips(splits[split], split, data, seed);
  return { train: clips('train'), val: clips('val'), test: clips('test') };
}

/** Clips of a split's images; samples that are clips already stay as they are. Validation sees each image about once. */
function asClips(dataset: Dataset, split: keyof DataSplits, { clips }: DataConfig, seed: number): Dataset {
  if (clips === undefined || dataset instanceof PhantomClipDataset) return dataset;
  const { frames } = clips;
  return new ClipDataset(dataset, { frames, every: split === 'train' ? 1 : frames, seed });
}

async function openSamples(data: DataConfig, seed: number, options: OpenDataOptions): Promise<DataSplits> {
  const { logger, store } = options;
  if (data.sets.length > 0 && data.format !== 'coco')
    throw new ConfigError({
      code: 'E_CONFIG_CONFLICT',
      where: 'data.sets',
      what: `it is for format coco, not ${data.format}`,
      fix: 'Set data.format: coco',
    });
  switch (data.format) {
    case 'phantom':
      return phantomSplits(data.phantom, seed, data.clips);
    case 'coco': {
      if (data.sets.length > 0) return mixedSplits(data, seed, options);
      const root = rootOf(data);
      const [train, val, test] = await Promise.all([
        CocoDataset.open(root, 'train'),
        CocoDataset.open(root, 'val'),
        CocoDataset.open(root, 'test'),
      ]);
      for (const line of new Set([train, val, test].flatMap((split) => split.respelt))) logger?.info(line);
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

/** Combines datasets and phantoms. */
async function mixedSplits(data: DataConfig, seed: number, { logger, store }: OpenDataOptions): Promise<DataSplits> {
  const { protocol, missing, cache, split } = data;
  const onDisk = data.sets.filter(({ phantom }) => phantom === undefined);
  refuseChangedFrames(onDisk, data);
  const generated = data.sets.flatMap(({ name, phantom, repeat, paste, background, phrases }) => {
    if (phantom === undefined) return [];
    if ([repeat, paste, background, phrases].some((given) => given !== undefined))
      throw new ConfigError({
        code: 'E_CONFIG_CONFLICT',
        where: `data.sets ${name}`,
        what: 'repeat, paste, background and phrases are for datasets on disk, not for phantoms',
        fix: 'Set phantom.train and phantom.phrases',
      });
    return [phantomSplits(phantom, seed, data.clips)];
  });
  const options = { protocol, missing, cache, seed: split.seed, store, logger };
  const read = onDisk.length > 0 ? [await openSets(onDisk, { ...options, root: rootOf(data) })] : [];
  const name = read[0]?.train.name ?? 'phantoms';
  // Operates on the sets, not on their union: a group's name then contains its dataset exactly once, with or without phantoms.
  const setsOf = (dataset: Dataset) => dataset.parts ?? [dataset];
  const merged = (key: keyof DataSplits) =>
    new ConcatDataset(
      name,
      [...read, ...generated].flatMap((splits) => setsOf(splits[key]).map((set) => asClips(set, key, data, seed))),
    );
  return { train: merged('train'), val: merged('val'), test: merged('test') };
}

/** Frames of a clip are not changed one by one. */
function refuseChangedFrames(sets: DataConfig['sets'], { clips }: DataConfig): void {
  for (const { name, paste = 0, background = 0 } of sets) {
    if (clips === undefined || (paste === 0 && background === 0)) continue;
    throw new ConfigError({
      code: 'E_CONFIG_CONFLICT',
      where: `data.sets ${name}`,
      what: 'paste and background change single images, and data.clips combines images to clips',
      fix: 'Remove one of them',
    });
  }
}

/** The splits of each fold of a cross-validation: every image is tested once. */
export async function openFolds(data: DataConfig, folds: number, store?: SampleStore): Promise<DataSplits[]> {
  if (data.clips !== undefined)
    throw new ConfigError({
      code: 'E_CONFIG_CONFLICT',
      where: 'eval.folds',
      what: 'clips are not divided into folds',
      fix: 'Set eval.folds to 0',
    });
  if (data.format === 'phantom' || data.format === 'coco') {
    const what = `a dataset of format ${data.format} has splits of its own and cannot be divided into folds`;
    throw new ConfigError({ code: 'E_CONFIG_CONFLICT', where: 'eval.folds', what, fix: 'Set eval.folds to 0' });
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
      code: 'E_CONFIG_VALUE',
      where: 'data.prompt',
      what: `a dataset of format ${data.format} does not name its objects`,
      fix: 'Say what to look for, as in data.prompt: breast lesion',
    });
  }
  const phrase = phraseFrom(data.prompt, 'data.prompt');
  for (const line of respelt([data.prompt])) logger?.info(line);
  return data.format === 'stu' ? StuDataset.open(rootOf(data), { phrase }) : FoldersDataset.open(rootOf(data), { phrase });
}

function phantomSplits(phantom: DataConfig['phantom'], seed: number, clips: DataConfig['clips']): DataSplits {
  const domain = phantomDomains[phantom.domain];
  if (domain === undefined) {
    const known = Object.keys(phantomDomains).join(', ');
    throw new ConfigError({
      code: 'E_CONFIG_VALUE',
      where: 'data.phantom.domain',
      what: `there is no domain ${phantom.domain}`,
      fix: `Choose one of ${known}`,
    });
  }
  const { width, height } = phantom.size;
  const phrases = phantom.phrases.length > 0 ? { phrases: phantom.phrases } : {};
  // Distant seeds: no phantom of one split can appear in another.
  const split = (size: number, k: number) => {
    const options = { size, seed: seed * 4 + k, width, height, domain, ...phrases };
    return clips === undefined ? new PhantomDataset(options) : new PhantomClipDataset({ ...options, frames: clips.frames });
  };
  return { train: split(phantom.train, 1), val: split(phantom.val, 2), test: split(phantom.test, 3) };
}

function rootOf({ root, format }: DataConfig): string {
  if (root === undefined)
    throw new ConfigError({
      code: 'E_CONFIG_VALUE',
      where: 'data.root',
      what: `a dataset of format ${format} needs a folder`,
      fix: 'Name it in the file or with --set data.root=DIR',
    });
  return root;
}
