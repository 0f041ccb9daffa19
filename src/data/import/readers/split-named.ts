import type { Split } from '../../coco.js';

/**
 * The split named by a path: `train.json`, `instances_val2017.json`, `valid/…`. The file name takes precedence over its folders.
 */
export function splitNamed(path: string): Split | undefined {
  for (const step of path.split('/').reverse()) {
    const word = /(?:^|[^a-z])(train|val|valid|validation|test)(?:[^a-z]|ing|$)/i.exec(step)?.[1]?.toLowerCase();
    if (word !== undefined) return word.startsWith('val') ? 'val' : (word as Split);
  }
  return undefined;
}
