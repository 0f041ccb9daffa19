import { basename, join } from 'node:path';
import { glob } from 'tinyglobby';
import type { Sample } from '../../data/index.js';
import { type BoxXyxy, boxOfMask, decodeGreyMask, fitMask } from '../../imaging/index.js';
import { type Answer, type AnsweredBox, type Method, WHOLE } from '../../protocols/index.js';
import { DataError } from '../../util/index.js';

/** `DIR/NAME.png`, `DIR/DATASET/NAME.png`, or either with a phrase: `NAME.breast-lesion.png`. */
const FILES = ['*.{png,bmp,tif,tiff,jpg,jpeg}', '*/*.{png,bmp,tif,tiff,jpg,jpeg}'];

/** The published scripts' threshold: half of 255. */
const HALF = 127.5;

const NOWHERE: BoxXyxy = [0, 0, 0, 0];

/**
 * Masks written by another program, matched to images by file name. A mask whose image shows several structures covers all of
 * them, unless its name specifies one. An image without a file is a false negative.
 */
export class MaskFolderMethod implements Method {
  readonly name: string;
  readonly scored = false;
  private readonly dir: string;
  private readonly files: ReadonlyMap<string, string>;
  private readonly used = new Set<string>();

  private constructor(dir: string, name: string, files: ReadonlyMap<string, string>) {
    this.dir = dir;
    this.name = name;
    this.files = files;
  }

  /**
   * @param name - name of the method in tables. Default: the folder's name.
   * @throws DataError when the folder contains no image.
   */
  static async open(dir: string, name = basename(dir)): Promise<MaskFolderMethod> {
    const found = await glob(FILES, { cwd: dir, caseSensitiveMatch: false }).catch(() => []);
    if (found.length === 0)
      throw new DataError({
        code: 'E_MASK_NOT_FOUND',
        where: dir,
        what: 'there is no mask image in it',
        fix: 'Masks are DIR/DATASET/NAME.png or DIR/NAME.png, named as the images',
      });
    const files = new Map<string, string>();
    for (const file of found.sort()) {
      const key = keyOf([file]);
      const other = files.get(key);
      if (other !== undefined)
        throw new DataError({
          code: 'E_NAME_CLASH',
          where: join(dir, file),
          what: `${basename(other)} has the same name`,
          fix: 'Keep one mask an image',
        });
      files.set(key, join(dir, file));
    }
    return new MaskFolderMethod(dir, name, files);
  }

  /** Reads the masks of an image. */
  async answer(sample: Sample, phrases: readonly string[]): Promise<Answer> {
    const named = await Promise.all(phrases.map((phrase) => this.read(sample, phrase, `.${slugOf(phrase)}`)));
    const known = named.filter((box) => box !== undefined);
    if (known.length > 0) return known;
    const whole = await this.read(sample, phrases.length === 1 ? (phrases[0] as string) : WHOLE, '');
    return whole === undefined ? [] : [whole];
  }

  /** @throws DataError when no mask matched any image: the names differ. */
  assertUsed(images: number): void {
    if (this.used.size > 0 || images === 0) return;
    throw new DataError({
      code: 'E_MASK_NOT_FOUND',
      where: this.dir,
      what: `none of its ${this.files.size} masks has the name of one of the ${images} images`,
      fix: 'Name masks DIR/DATASET/NAME.png or DIR/NAME.png after the images',
    });
  }

  async dispose(): Promise<void> {}

  private async read(sample: Sample, phrase: string, ending: string): Promise<AnsweredBox | undefined> {
    const stem = (sample.file === undefined ? sample.id : basename(sample.file)).replace(/\.[^.]+$/, '');
    const stems = [...new Set([stem, sample.id])];
    const keys = stems.flatMap((one) => [keyOf([sample.dataset, `${one}${ending}.png`]), keyOf([`${one}${ending}.png`])]);
    const file = keys.map((key) => this.files.get(key)).find((one) => one !== undefined);
    if (file === undefined) return undefined;
    this.used.add(file);
    const grey = await decodeGreyMask(file);
    const mask = fitMask(grey, sample.image, file);
    const differs = grey.width !== mask.width || grey.height !== mask.height;
    const ownGrid = differs ? { ...grey, data: grey.data.map((value) => Number(value >= HALF)) } : undefined;
    // An empty mask is a valid answer: nothing found.
    return { phrase, score: 1, boxXyxyPx: boxOfMask(mask) ?? NOWHERE, mask, ...(ownGrid && { ownGrid }) };
  }
}

/** Drops extension and case, about which file systems differ. */
function keyOf(parts: readonly string[]): string {
  return parts
    .join('/')
    .replace(/\.[^./]+$/, '')
    .toLowerCase();
}

/** A phrase as a component of a file name. */
function slugOf(phrase: string): string {
  return phrase
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-|-$/g, '');
}
