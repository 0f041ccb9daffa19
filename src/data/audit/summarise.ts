import type { Split } from '../coco.js';
import { paperCounts } from './paper-counts.js';
import type { AuditSplit, DatasetSummary, ImageRecord, SplitSummary } from './types.js';

/** Counts the content of each split of each dataset. */
export function summariseDatasets(splits: readonly AuditSplit[], images: readonly ImageRecord[]): DatasetSummary[] {
  const byPlace = grouped(images);
  const names = [...new Set(splits.map(({ dataset }) => dataset))];
  return names.map((name) => {
    const own = splits.filter(({ dataset }) => dataset === name);
    const summaries = own.map(({ split }): [Split, SplitSummary] => [
      split,
      summariseSplit(byPlace.get(`${name}\0${split}`) ?? []),
    ]);
    return { name, splits: Object.fromEntries(summaries) as DatasetSummary['splits'], paper: paperCounts(name) };
  });
}

function summariseSplit(images: readonly ImageRecord[]): SplitSummary {
  const readable = images.filter(({ width }) => width !== undefined);
  const labels = new Map<string, { objects: number; images: number }>();
  for (const image of readable) {
    for (const label of new Set(image.labels)) {
      const count = labels.get(label) ?? { objects: 0, images: 0 };
      count.images++;
      labels.set(label, count);
    }
    for (const label of image.labels) (labels.get(label) as { objects: number }).objects++;
  }
  const sizes = new Map<string, number>();
  for (const { width, height } of readable) sizes.set(`${width}x${height}`, (sizes.get(`${width}x${height}`) ?? 0) + 1);
  const groups = new Set(images.flatMap(({ group }) => group ?? []));
  return {
    images: images.length,
    objects: readable.reduce((sum, { labels: own }) => sum + own.length, 0),
    negatives: readable.filter(({ labels: own }) => own.length === 0).length,
    groups: groups.size === 0 ? null : groups.size,
    labels: Object.fromEntries([...labels].sort(([, a], [, b]) => b.objects - a.objects)),
    sizes: Object.fromEntries([...sizes].sort(([, a], [, b]) => b - a)),
    unreadable: images.length - readable.length,
  };
}

function placeOf({ dataset, split }: ImageRecord): string {
  return `${dataset}\0${split}`;
}

function grouped(images: readonly ImageRecord[]): Map<string, ImageRecord[]> {
  const groups = new Map<string, ImageRecord[]>();
  for (const image of images) {
    const group = groups.get(placeOf(image));
    if (group === undefined) groups.set(placeOf(image), [image]);
    else group.push(image);
  }
  return groups;
}
