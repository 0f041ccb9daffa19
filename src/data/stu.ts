import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../util/index.js';
import { listFolder, loadMaskPair, type MaskPair, sourceOfPair } from './mask-folder.js';
import type { Dataset, Sample, SampleSource } from './types.js';

const FIX = 'Name the folder of STU-Hospital (github.com/xbhlk/STU-Hospital) that holds Test_Image_1.png and mask_1.png';

/**
 * STU-Hospital: 42 breast-ultrasound images with one mask each, as published. Masks differ in size from their images and have
 * grey edges; they are resampled to the image's grid.
 */
export class StuDataset implements Dataset {
  readonly name = 'stu';
  private readonly pairs: readonly MaskPair[];
  private readonly phrase: string;

  private constructor(pairs: readonly MaskPair[], phrase: string) {
    this.pairs = pairs;
    this.phrase = phrase;
  }

  /**
   * Lists the images of the published folder.
   *
   * @param root - with or without its `Hospital/` level.
   */
  static async open(root: string, { phrase }: { readonly phrase: string }): Promise<StuDataset> {
    const inner = join(root, 'Hospital');
    const dir = (await stat(inner).catch(() => undefined))?.isDirectory() ? inner : root;
    const names = await listFolder(dir, FIX);
    const images = names.flatMap((name) => {
      const number = /^Test_Image_(\d+)\.png$/i.exec(name)?.[1];
      return number === undefined ? [] : [{ name, number }];
    });
    if (images.length === 0)
      throw new DataError({ code: 'E_NO_IMAGES', where: dir, what: 'it holds no Test_Image_N.png', fix: FIX });
    const pairs = images.map(({ name, number }) => {
      const mask = names.find((other) => other.toLowerCase() === `mask_${number}.png`);
      if (mask === undefined)
        throw new DataError({
          code: 'E_MASK_NOT_FOUND',
          where: join(dir, name),
          what: `its mask mask_${number}.png is missing`,
          fix: 'Copy the published folder again',
        });
      return { id: `stu-${number}`, image: join(dir, name), mask: join(dir, mask) };
    });
    return new StuDataset(pairs, phrase);
  }

  /** Number of images. */
  get size(): number {
    return this.pairs.length;
  }

  /** Reads an image and its mask. */
  load(index: number): Promise<Sample> {
    return loadMaskPair(this.pairs[index] as MaskPair, this.name, this.phrase);
  }

  source(index: number): SampleSource {
    return sourceOfPair(this.pairs[index] as MaskPair, this.phrase);
  }
}
