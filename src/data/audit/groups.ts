import type { Split } from '../coco.js';
import type { ImageRecord, SharedGroup } from './types.js';

/** Finds patients, volumes and source images with images in more than one split of their dataset. */
export function findSharedGroups(pictures: readonly ImageRecord[]): SharedGroup[] {
  const groups = new Map<string, { dataset: string; group: string; parts: Partial<Record<Split, number>> }>();
  for (const { dataset, part, group } of pictures) {
    if (group === undefined) continue;
    const key = `${dataset}\0${group}`;
    const found = groups.get(key) ?? { dataset, group, parts: {} };
    found.parts[part] = (found.parts[part] ?? 0) + 1;
    groups.set(key, found);
  }
  return [...groups.values()].filter(({ parts }) => Object.keys(parts).length > 1);
}
