import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the tests look at in an annotation file. */
export interface Annotations {
  readonly images: readonly {
    readonly id: number;
    readonly file_name: string;
    readonly source: string;
    readonly group: string;
    readonly phrases: readonly string[];
  }[];
  readonly annotations: readonly {
    readonly image_id: number;
    readonly category_id: number;
    readonly bbox: readonly number[];
    readonly area: number;
  }[];
  readonly categories: readonly { readonly id: number; readonly name: string }[];
}

export const SPLITS = ['train', 'val', 'test'] as const;

export async function readSplit(root: string, split: string): Promise<Annotations> {
  return JSON.parse(await readFile(join(root, 'annotations', `${split}.json`), 'utf8'));
}

/** All objects of each source image, sorted, over all splits. */
export async function objectsBySource(root: string): Promise<Record<string, unknown[][]>> {
  const found: Record<string, unknown[][]> = {};
  for (const split of SPLITS) {
    const { images, annotations, categories } = await readSplit(root, split);
    for (const { id, source } of images) {
      const own = annotations.filter((annotation) => annotation.image_id === id);
      found[source] = [
        ...(found[source] ?? []),
        ...own.map(({ category_id, bbox }) => [categories.find((category) => category.id === category_id)?.name, ...bbox]),
      ];
    }
  }
  return Object.fromEntries(Object.entries(found).map(([source, objects]) => [source, sorted(objects)]));
}

export function sorted(objects: readonly (readonly unknown[])[]): unknown[][] {
  return objects.map((object) => [...object]).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}
