import type { Split } from '../coco.js';
import type { ImageRecord, SharedGroup } from './types.js';

/** Finds patients, volumes and source images with images in more than one split of their dataset. */
export function findSharedGroups(images: readonly ImageRecord[]): SharedGroup[] {
  const groups = new Map<string, { dataset: string; group: string; splits: Partial<Record<Split, number>> }>();
  for (const { dataset, split, group } of images) {
    if (group === undefined) continue;
    const key = `${dataset}\0${group}`;
    const found = groups.get(key) ?? { dataset, group, splits: {} };
    found.splits[split] = (found.splits[split] ?? 0) + 1;
    groups.set(key, found);
  }
  return [...groups.values()].filter(({ splits }) => Object.keys(splits).length > 1);
}
