import { basename, join } from 'node:path';
import { DataError } from '../util/index.js';
import { IMAGE_FILE, listFolder, loadMaskPair, type MaskPair } from './mask-folder.js';
import type { Dataset, Sample } from './types.js';

const FIX = 'Make a folder with images/ and masks/, a mask having the name of its image';

/** A user's own set: `images/` and `masks/`, paired by name without ending. */
export class FoldersDataset implements Dataset {
  readonly name: string;
  private readonly pairs: readonly MaskPair[];
  private readonly phrase: string;

  private constructor(name: string, pairs: readonly MaskPair[], phrase: string) {
    this.name = name;
    this.pairs = pairs;
    this.phrase = phrase;
  }

  static async open(root: string, { phrase }: { readonly phrase: string }): Promise<FoldersDataset> {
    const images = (await listFolder(join(root, 'images'), FIX)).filter((name) => IMAGE_FILE.test(name));
    const masks = new Map(
      (await listFolder(join(root, 'masks'), FIX)).filter((name) => IMAGE_FILE.test(name)).map((name) => [stem(name), name]),
    );
    if (images.length === 0) throw new DataError({ where: join(root, 'images'), what: 'it holds no image', fix: FIX });
    const pairs = images.map((name) => {
      const mask = masks.get(stem(name));
      if (mask === undefined)
        throw new DataError({
          where: join(root, 'images', name),
          what: `there is no mask of that name in ${join(root, 'masks')}`,
          fix: FIX,
        });
      return { id: stem(name), image: join(root, 'images', name), mask: join(root, 'masks', mask) };
    });
    return new FoldersDataset(basename(root), pairs, phrase);
  }

  get size(): number {
    return this.pairs.length;
  }

  load(index: number): Promise<Sample> {
    return loadMaskPair(this.pairs[index] as MaskPair, this.name, this.phrase);
  }
}

function stem(name: string): string {
  return name.replace(IMAGE_FILE, '');
}
