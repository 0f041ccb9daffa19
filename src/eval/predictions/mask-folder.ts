import { basename, join } from 'node:path';
import { glob } from 'tinyglobby';
import type { Sample } from '../../data/index.js';
import { type BoxXyxy, boxOfMask, decodeGreyMask, fitMask, openKeptSegmentation } from '../../imaging/index.js';
import { type Answer, type AnsweredBox, type Method, WHOLE } from '../../protocols/index.js';
import { DataError } from '../../util/index.js';
import { segmentationAnswer } from './segmentation-answer.js';

/**
 * `DIR/NAME.png`, `DIR/DATASET/NAME.png`, or either with a phrase: `NAME.breast-lesion.png`; or a DICOM segmentation, `NAME.dcm` or
 * `NAME.seg.dcm`.
 */
const FILES = ['*.{png,bmp,tif,tiff,jpg,jpeg,dcm}', '*/*.{png,bmp,tif,tiff,jpg,jpeg,dcm}'];

/** Reports that `infer --dicom` writes beside segmentations. */
const REPORT = /\.sr\.dcm$/i;

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
    const all = await glob(FILES, { cwd: dir, caseSensitiveMatch: false }).catch(() => []);
    const found = all.filter((file) => !REPORT.test(file));
    if (found.length === 0)
      throw new DataError({
        code: 'E_MASK_NOT_FOUND',
        where: dir,
        what: 'there is no mask image in it',
        fix: 'Masks are DIR/DATASET/NAME.png or DIR/NAME.png, or NAME.seg.dcm, named as the images',
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
    const segmented = await this.segmentation(sample, phrases);
    if (segmented !== undefined) return segmented;
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

  /** The answer of a DICOM segmentation; undefined if the image has none. */
  private async segmentation(sample: Sample, phrases: readonly string[]): Promise<Answer | undefined> {
    for (const { name, frame } of namesOf(sample).flatMap(withFrame)) {
      const file = this.files.get(keyOf([sample.dataset, `${name}.dcm`])) ?? this.files.get(keyOf([`${name}.dcm`]));
      const segmentation = file === undefined ? undefined : await openKeptSegmentation(file);
      if (file === undefined || segmentation === undefined) continue;
      this.used.add(file);
      return segmentationAnswer(segmentation, sample, phrases, frame);
    }
    return undefined;
  }

  private async read(sample: Sample, phrase: string, ending: string): Promise<AnsweredBox | undefined> {
    const keys = namesOf(sample).flatMap((one) => [
      keyOf([sample.dataset, `${one}${ending}.png`]),
      keyOf([`${one}${ending}.png`]),
    ]);
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

/** Names under which an image may have a mask. */
function namesOf(sample: Sample): string[] {
  const stem = (sample.file === undefined ? sample.id : basename(sample.file)).replace(/\.[^.]+$/, '');
  return [...new Set([stem, sample.id])];
}

/** A name, and for that of a frame of a clip, `NAME-012`, the clip's name and the frame. */
function withFrame(name: string): { readonly name: string; readonly frame?: number }[] {
  const [, clip, frame] = /^(.+)[#_-](\d+)$/.exec(name) ?? [];
  return clip === undefined ? [{ name }] : [{ name }, { name: clip, frame: Number(frame) }];
}

/** Drops extension and case, about which file systems differ. */
function keyOf(parts: readonly string[]): string {
  return parts
    .join('/')
    .replace(/(?:\.seg)?\.[^./]+$/, '')
    .toLowerCase();
}

/** A phrase as a component of a file name. */
function slugOf(phrase: string): string {
  return phrase
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-|-$/g, '');
}
