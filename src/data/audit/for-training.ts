import { isDeepStrictEqual } from 'node:util';
import { counted, DataError, type Logger, silentLogger } from '../../util/index.js';
import type { Split } from '../coco.js';
import type { Dataset } from '../types.js';
import { type AuditOptions, auditDatasets, isGenerated } from './audit.js';
import type { AuditSplit, ImageLocation, Problem, SharedGroup, Twins } from './types.js';

export interface TrainingAuditOptions extends Pick<AuditOptions, 'cacheDirectory'> {
  /** Trains despite overlap, with a warning. Default: false. */
  readonly allowOverlap?: boolean;
  readonly logger?: Logger;
}

/** Examples listed in a message. */
const LISTED = 5;

/**
 * Audits the data of a training run before it starts: every image must be readable, and no training image or patient may also be
 * in the validation or test split. Earlier inspections are cached. Generated images are skipped: their seeds keep them apart.
 *
 * @throws DataError naming the images that cannot be read, or that are in several splits without `allowOverlap`.
 */
export async function auditForTraining(
  data: Readonly<Record<Split, Dataset>>,
  { allowOverlap = false, logger = silentLogger, ...options }: TrainingAuditOptions = {},
): Promise<void> {
  const splits = (['train', 'val', 'test'] as const)
    .flatMap((split) => originals(data[split]).map((own): AuditSplit => ({ dataset: own.name, split, data: own })))
    .filter((split) => !isGenerated(split));
  if (splits.length === 0) return;
  const report = await auditDatasets(splits, { ...options, onProgress: timed(logger) });
  const unreadable = report.problems.filter(({ level }) => level === 'error');
  if (unreadable.length > 0)
    throw new DataError({
      code: 'E_DATA_UNUSABLE',
      where: 'data',
      what: `${counted(unreadable.length, 'image')} cannot be used: ${list(unreadable, problemText)}`,
      fix: 'Repair them, or take them out of the dataset',
    });
  const twins = report.duplicates.filter(({ level }) => level === 'error');
  const learnt = twins.filter(({ a, b }) => a.split === 'train' || b.split === 'train');
  const groups = report.groups.filter(({ splits: own }) => own.train !== undefined);
  const what = [
    ...(groups.length > 0
      ? [
          `${counted(groups.length, 'patient or volume is', 'patients or volumes are')} in train and in val or test: ${list(groups, groupText)}`,
        ]
      : []),
    ...(learnt.length > 0
      ? [`${counted(learnt.length, 'image of train is', 'images of train are')} also in val or test: ${list(learnt, twinsText)}`]
      : []),
  ].join('; ');
  if (what !== '' && !allowOverlap)
    throw new DataError({
      code: 'E_DATA_OVERLAP',
      where: 'data',
      what,
      fix: 'Split by patient, or set data.allowOverlap: true to train in spite of it',
    });
  if (what !== '') logger.warn(`data: ${what}; allowed by data.allowOverlap`);
  const others = twins.length - learnt.length + report.groups.length - groups.length;
  if (others > 0) logger.warn(`data: ${counted(others, 'image or patient is', 'images or patients are')} in both val and test`);
  if (what === '')
    logger.info(
      `data: ${report.images} images checked${report.cached > 0 ? ` (${report.cached} from the cache)` : ''}, none of train is in val or test`,
    );
}

/** The underlying datasets, each once: images that a dataset repeats are inspected once. */
function originals(dataset: Dataset): readonly Dataset[] {
  const found = dataset.parts?.flatMap(originals) ?? [dataset];
  return found.filter((one, k) => found.findIndex((other) => sameDataset(one, other)) === k);
}

/** Whether two datasets hold the same files with the same annotations. */
function sameDataset(a: Dataset, b: Dataset): boolean {
  if (a === b) return true;
  if (a.size !== b.size || a.source === undefined || b.source === undefined) return false;
  for (let i = 0; i < a.size; i++) if (!isDeepStrictEqual(a.source(i), b.source(i))) return false;
  return true;
}

/** Interval between progress lines. */
const INTERVAL_MS = 10_000;

/** Reports progress at intervals: the first audit of a large set takes minutes. */
function timed(logger: Logger): (done: number, total: number) => void {
  const begin = Date.now();
  let last = begin;
  return (done, total) => {
    const now = Date.now();
    if (now - last < INTERVAL_MS || done === total) return;
    last = now;
    const left = Math.round((((now - begin) / done) * (total - done)) / 1000);
    logger.info(`data: ${done} of ${total} images checked, ${left} s left`);
  };
}

function list<T>(items: readonly T[], text: (item: T) => string): string {
  const more = items.length > LISTED ? `, and ${items.length - LISTED} more` : '';
  return `${items.slice(0, LISTED).map(text).join(', ')}${more}`;
}

function problemText({ split, file, what }: Problem): string {
  return `${file} (${split}): ${what}`;
}

function groupText({ group, splits }: SharedGroup): string {
  return `${group} (${Object.keys(splits).join(', ')})`;
}

function twinsText({ a, b, kind, mirrored }: Twins): string {
  const how = kind === 'exact' ? 'the same pixels' : mirrored === 'no' ? 'similar' : `similar, mirrored ${mirrored}`;
  return `${placeText(a)} = ${placeText(b)} (${how})`;
}

function placeText({ file, split }: ImageLocation): string {
  return `${file} (${split})`;
}
