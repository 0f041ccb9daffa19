import { availableParallelism } from 'node:os';
import { basename, dirname, relative, resolve } from 'node:path';
import { PhantomClipDataset, PhantomDataset } from '../phantom/index.js';
import type { SampleSource } from '../types.js';
import { AuditCache } from './cache.js';
import { findSharedGroups } from './groups.js';
import { inspectSample, reasonOf } from './inspect.js';
import { summariseDatasets } from './summarise.js';
import { findTwins } from './twins.js';
import type { AuditReport, AuditSplit, ImageRecord, Inspection, Problem } from './types.js';

export interface AuditOptions {
  /** Cache folder for inspections. Default: the user's cache folder. */
  readonly cacheDirectory?: string;
  /** Problems found while opening the splits. */
  readonly problems?: readonly Problem[];
  readonly onProgress?: (done: number, total: number, file: string) => void;
}

/**
 * Audits splits of datasets: whether each image can be read, what it contains, whether boxes fit masks, and whether the image or
 * its patient is also in another split. Images are processed a few at a time; only a few hundred bytes of each are kept.
 */
export async function auditDatasets(splits: readonly AuditSplit[], options: AuditOptions = {}): Promise<AuditReport> {
  const caches = new Map<string, Promise<AuditCache>>();
  const cacheOf = (folder: string) => {
    const cache = caches.get(folder) ?? AuditCache.open(folder, options.cacheDirectory);
    caches.set(folder, cache);
    return cache;
  };
  const jobs = splits.flatMap((split) => Array.from({ length: split.data.size }, (_, index) => ({ split, index })));
  const images: ImageRecord[] = new Array(jobs.length);
  const problems: Problem[] = [...(options.problems ?? [])];
  let done = 0;
  let cached = 0;
  await inParallel(jobs.length, async (k) => {
    const { split, index } = jobs[k] as (typeof jobs)[number];
    const { image, known } = await lookAt(split, index, cacheOf, problems);
    images[k] = image;
    cached += Number(known);
    options.onProgress?.(++done, jobs.length, basename(image.file));
  });
  for (const cache of caches.values()) await (await cache).save();
  const groups = findSharedGroups(images);
  const duplicates = findTwins(images);
  const order = new Map(splits.map(({ dataset, split }, i) => [`${dataset}\0${split}`, i]));
  problems.sort(
    (a, b) =>
      Number(a.level === 'warning') - Number(b.level === 'warning') ||
      (order.get(`${a.dataset}\0${a.split}`) ?? 0) - (order.get(`${b.dataset}\0${b.split}`) ?? 0) ||
      a.file.localeCompare(b.file, 'en', { numeric: true }),
  );
  const count = (level: Problem['level']) =>
    problems.filter((problem) => problem.level === level).length + duplicates.filter((twins) => twins.level === level).length;
  return {
    errors: count('error') + groups.length,
    warnings: count('warning'),
    images: jobs.length,
    cached,
    datasets: summariseDatasets(splits, images),
    problems,
    groups,
    duplicates,
  };
}

/** Inspects an image or returns the cached inspection. */
async function lookAt(
  { dataset, split, data, root }: AuditSplit,
  index: number,
  cacheOf: (folder: string) => Promise<AuditCache>,
  problems: Problem[],
): Promise<{ readonly image: ImageRecord; readonly known: boolean }> {
  const source = data.source?.(index);
  const file = source === undefined ? `${dataset} ${split} ${index}` : below(root, source.files[0] as string);
  const place = { dataset, split, index, file, group: source?.group };
  try {
    const inspect = () => inspectSample(data, index);
    const { inspection, cached } =
      source === undefined
        ? { inspection: await inspect(), cached: false }
        : await (await cacheOf(root ?? folderOf(source))).get(split, source, inspect);
    for (const { level, what } of inspection.problems) problems.push({ level, dataset, split, file, what });
    const { width, height, exact, signs, labels }: Inspection = inspection;
    return { image: { ...place, width, height, exact, signs, labels }, known: cached };
  } catch (error) {
    const what = root === undefined ? reasonOf(error) : reasonOf(error).replaceAll(`${root}/`, '');
    problems.push({ level: 'error', dataset, split, file, what });
    return { image: { ...place, labels: [] }, known: false };
  }
}

/** Fallback for the dataset's folder if `root` is not given: images are one folder below it. */
function folderOf({ files }: SampleSource): string {
  return dirname(dirname(resolve(files[0] as string)));
}

/** A file's name as reported: relative to the dataset's folder, or the base name without one. */
function below(root: string | undefined, file: string): string {
  const path = root === undefined ? '..' : relative(root, file);
  return path.startsWith('..') ? basename(file) : path;
}

/** Runs jobs a few at a time, so that other threads decode files while this one inspects pixels. */
async function inParallel(count: number, job: (k: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) await job(next++);
  };
  await Promise.all(Array.from({ length: Math.min(count, availableParallelism() * 2) }, lane));
}

/** Whether a split is generated: its images are drawn from seeds, not read from files. */
export function isGenerated({ data }: AuditSplit): boolean {
  return data instanceof PhantomDataset || data instanceof PhantomClipDataset;
}
