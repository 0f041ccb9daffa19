import type { Split } from '../coco.js';
import { paperCounts } from './paper-counts.js';
import type { AuditSplit, DatasetSummary, ImageRecord, SplitSummary } from './types.js';

/** Counts the content of each split of each dataset. */
export function summariseDatasets(parts: readonly AuditSplit[], pictures: readonly ImageRecord[]): DatasetSummary[] {
  const byPlace = grouped(pictures);
  const names = [...new Set(parts.map(({ dataset }) => dataset))];
  return names.map((name) => {
    const own = parts.filter(({ dataset }) => dataset === name);
    const summaries = own.map(({ part }): [Split, SplitSummary] => [part, summariseSplit(byPlace.get(`${name}\0${part}`) ?? [])]);
    return { name, parts: Object.fromEntries(summaries) as DatasetSummary['parts'], paper: paperCounts(name) };
  });
}

function summariseSplit(pictures: readonly ImageRecord[]): SplitSummary {
  const readable = pictures.filter(({ width }) => width !== undefined);
  const labels = new Map<string, { objects: number; images: number }>();
  for (const picture of readable) {
    for (const label of new Set(picture.labels)) {
      const count = labels.get(label) ?? { objects: 0, images: 0 };
      count.images++;
      labels.set(label, count);
    }
    for (const label of picture.labels) (labels.get(label) as { objects: number }).objects++;
  }
  const sizes = new Map<string, number>();
  for (const { width, height } of readable) sizes.set(`${width}x${height}`, (sizes.get(`${width}x${height}`) ?? 0) + 1);
  const groups = new Set(pictures.flatMap(({ group }) => group ?? []));
  return {
    images: pictures.length,
    objects: readable.reduce((sum, { labels: own }) => sum + own.length, 0),
    negatives: readable.filter(({ labels: own }) => own.length === 0).length,
    groups: groups.size === 0 ? null : groups.size,
    labels: Object.fromEntries([...labels].sort(([, a], [, b]) => b.objects - a.objects)),
    sizes: Object.fromEntries([...sizes].sort(([, a], [, b]) => b - a)),
    unreadable: pictures.length - readable.length,
  };
}

function placeOf({ dataset, part }: ImageRecord): string {
  return `${dataset}\0${part}`;
}

function grouped(pictures: readonly ImageRecord[]): Map<string, ImageRecord[]> {
  const groups = new Map<string, ImageRecord[]>();
  for (const picture of pictures) {
    const group = groups.get(placeOf(picture));
    if (group === undefined) groups.set(placeOf(picture), [picture]);
    else group.push(picture);
  }
  return groups;
}
