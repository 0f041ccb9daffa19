import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type BinaryMask, type RasterImage, unionOfMasks } from '../imaging/index.js';
import { canonicalPhrase, phraseFrom } from '../prompts/index.js';
import { DataError, Rng, UsageError } from '../util/index.js';
import { CocoDataset } from './coco.js';
import { FoldersDataset } from './folders.js';
import type { Dataset } from './types.js';

/** Images with a mask each of one structure, to segment others by. */
export interface Exemplars {
  /** The structure that they show. */
  readonly label: string;
  readonly images: readonly RasterImage[];
  readonly masks: readonly BinaryMask[];
  /** Images that do not show the structure, and are left out. */
  readonly without: number;
  /** Hash of all of them, in their order. */
  readonly digest: string;
}

/** Which exemplars of a folder are read. */
export interface ExemplarOptions {
  /**
   * The structure that the masks show. Default: the only phrase of annotations; for a folder of images and masks, which names
   * none, the name of the folder.
   */
  readonly label?: string | undefined;
  /** Maximum number of exemplars; of more, a random selection is read. Default: 256. */
  readonly most?: number;
  /** Seeds the selection. Default: 0. */
  readonly seed?: number;
}

/** Decoded images kept at once: a few hundred megabytes of large ones. */
const MOST = 256;

/**
 * Reads exemplars: a folder with `images/` and `masks/`, a mask having the name of its image, or the train split of a dataset with
 * COCO annotations.
 *
 * @throws DataError when an image has no mask, or no mask shows anything; UsageError when annotations have several phrases, or
 * another than the label.
 */
export async function loadExemplars(dir: string, { label, most = MOST, seed = 0 }: ExemplarOptions = {}): Promise<Exemplars> {
  const { dataset, phrase } = await open(dir, label);
  const natural = Array.from({ length: dataset.size }, (_, i) => i);
  const order = dataset.size > most ? Rng.seeded(seed).shuffle(natural) : natural;
  const images: RasterImage[] = [];
  const masks: BinaryMask[] = [];
  const hash = createHash('sha256');
  let without = 0;
  for (const index of order) {
    if (images.length === most) break;
    const { image, objects } = await dataset.load(index);
    const own = objects.filter((object) => object.phrase === phrase).map(({ mask }) => mask);
    if (own.length === 0) {
      without += 1;
      continue;
    }
    const mask = unionOfMasks(own);
    hash.update(`${image.width}x${image.height}`).update(image.data).update(mask.data);
    images.push(image);
    masks.push(mask);
  }
  if (images.length > 0) return { label: phrase, images, masks, without, digest: hash.digest('hex').slice(0, 16) };
  throw new DataError({
    code: 'E_MASK_EMPTY',
    where: dir,
    what: `none of its ${dataset.size} images shows ${label === undefined ? 'anything' : `"${phrase}"`}`,
    fix: 'Give exemplars that show what to look for',
  });
}

async function open(dir: string, label: string | undefined): Promise<{ dataset: Dataset; phrase: string }> {
  const asked = label === undefined ? undefined : phraseFrom(label, '--label');
  const info = await stat(dir).catch(() => undefined);
  if (!info?.isDirectory())
    throw new DataError({
      code: info === undefined ? 'E_FILE_NOT_FOUND' : 'E_FILE_KIND',
      where: dir,
      what: info === undefined ? 'there is no such folder' : 'it is not a folder',
      fix: 'Exemplars are a folder with images/ and masks/, a mask having the name of its image',
    });
  const annotated = await stat(join(dir, 'annotations')).catch(() => undefined);
  if (annotated === undefined) {
    const phrase = asked ?? canonicalPhrase(basename(dir).replaceAll(/[._\s]+/g, ' '));
    return { dataset: await FoldersDataset.open(dir, { phrase }), phrase };
  }
  const dataset = await CocoDataset.open(dir, 'train');
  const { phrases } = dataset;
  const [only] = phrases;
  if (asked !== undefined ? phrases.includes(asked) : only !== undefined && phrases.length === 1)
    return { dataset, phrase: asked ?? (only as string) };
  throw new UsageError({
    code: 'E_EXEMPLARS_CLASS',
    where: asked === undefined ? dir : '--label',
    what:
      asked === undefined
        ? `its annotations name ${phrases.length} structures, and exemplars show one`
        : `the exemplars show no "${asked}"`,
    fix: `Say --label with one of ${phrases.slice(0, 8).join(', ')}`,
  });
}
