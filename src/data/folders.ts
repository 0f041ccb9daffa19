import { basename, join } from 'node:path';
import { imageStem, isUnnamedDicom, listImages } from '../imaging/index.js';
import { DataError } from '../util/index.js';
import { IMAGE_FILE, listFolder, loadMaskPair, type MaskPair, sourceOfPair } from './mask-folder.js';
import type { Dataset, Sample, SampleSource } from './types.js';

const FIX = 'Make a folder with images/ and masks/, a mask having the name of its image';

/** A folder with `images/` and `masks/`, paired by file name without extension. */
export class FoldersDataset implements Dataset {
  readonly name: string;
  private readonly pairs: readonly MaskPair[];
  private readonly phrase: string;

  private constructor(name: string, pairs: readonly MaskPair[], phrase: string) {
    this.name = name;
    this.pairs = pairs;
    this.phrase = phrase;
  }

  /** Lists the images of a folder and their masks. */
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

  /** Number of images. */
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

/** The image files of a folder, by name without extension. Two that differ only in the extension are refused as ambiguous. */
async function filesByStem(dir: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const name of await listFolder(dir, FIX)) {
    // DICOM files may lack an extension.
    if (!IMAGE_FILE.test(name) && !(await isUnnamedDicom(join(dir, name)))) continue;
    // A cine clip or image volume pairs with a file of as many masks.
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
