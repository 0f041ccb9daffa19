import { basename, join } from 'node:path';
import { imageStem, isUnnamedDicom, listImages } from '../imaging/index.js';
import { DataError } from '../util/index.js';
import { IMAGE_FILE, listFolder, loadMaskPair, type MaskPair, sourceOfPair } from './mask-folder.js';
import type { Dataset, Sample, SampleSource } from './types.js';

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

  /** Lists the images of a folder and the masks that belong to them. */
  static async open(root: string, { phrase }: { readonly phrase: string }): Promise<FoldersDataset> {
    const images = await filesByStem(join(root, 'images'));
    const masks = await filesByStem(join(root, 'masks'));
    if (images.size === 0)
      throw new DataError({ code: 'E_NO_IMAGES', where: join(root, 'images'), what: 'it holds no image', fix: FIX });
    const pairs = [...images].map(([id, image]) => {
      const mask = masks.get(id);
      if (mask === undefined)
        throw new DataError({
          code: 'E_MASK_NOT_FOUND',
          where: image,
          what: `there is no mask of that name in ${join(root, 'masks')}`,
          fix: FIX,
        });
      return { id, image, mask };
    });
    return new FoldersDataset(basename(root), pairs, phrase);
  }

  /** How many images there are. */
  get size(): number {
    return this.pairs.length;
  }

  /** Reads an image and its masks. */
  load(index: number): Promise<Sample> {
    return loadMaskPair(this.pairs[index] as MaskPair, this.name, this.phrase);
  }

  source(index: number): SampleSource {
    return sourceOfPair(this.pairs[index] as MaskPair, this.phrase);
  }
}

/** The pictures of a folder by their names without ending. Two that differ in the ending alone could not be paired. */
async function filesByStem(dir: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const name of await listFolder(dir, FIX)) {
    // DICOM may come without an ending.
    if (!IMAGE_FILE.test(name) && !(await isUnnamedDicom(join(dir, name)))) continue;
    // A film or a volume of images goes with one of as many masks.
    for (const file of await listImages(join(dir, name))) {
      const stem = imageStem(file);
      const other = files.get(stem);
      if (other !== undefined)
        throw new DataError({
          code: 'E_NAME_CLASH',
          where: file,
          what: `it has the name of ${other}`,
          fix: 'Remove or rename one of the two',
        });
      files.set(stem, file);
    }
  }
  return files;
}
