import { readdir, stat } from 'node:fs/promises';

import {
  type BinaryMask,
  type BoxXyxy,
  boxOfMask,
  checkSegmentationSize,
  connectedComponents,
  decodeGreyMask,
  decodeImage,
  fitMask,
  maskArea,
} from '../imaging/index.js';
import { DataError } from '../util/index.js';
import type { Sample, SampleObject, SampleSource } from './types.js';

/**
 * Fraction of the image and number of pixels below which a component is a speck, not an object; the largest component needs only
 * the latter, so that a small lesion is kept.
 */
const SPECK = { share: 0.001, pixels: 4 };

/** Image files by extension. */
export const IMAGE_FILE = /\.(png|jpe?g|bmp|tiff?|webp|dcm|dicom|ima|nii|nii\.gz)$/i;

/** An image with the mask of everything that the phrase names in it. */
export interface MaskPair {
  readonly id: string;
  readonly image: string;
  readonly mask: string;
}

/**
 * Loads an image and its mask; each connected component of the mask is an object. A blank mask makes a negative.
 *
 * @throws DataError naming unreadable files, and a mask that is not blank but contains no object.
 */
export async function loadMaskPair(
  { id, image: file, mask: maskFile }: MaskPair,
  dataset: string,
  phrase: string,
): Promise<Sample> {
  const [image, grey] = await Promise.all([decodeImage(file), decodeGreyMask(maskFile, { over: file })]);
  await checkSegmentationSize(maskFile, image);
  const objects = partsOf(fitMask(grey, image, maskFile), maskFile).map((part): SampleObject => {
    return { phrase, boxXyxyPx: boxOfMask(part) as BoxXyxy, mask: part };
  });
  return { id, dataset, file, image, objects, phrases: [phrase] };
}

function partsOf(mask: BinaryMask, where: string): BinaryMask[] {
  const area = maskArea(mask);
  if (area === 0) return [];
  const large = connectedComponents(mask, { minArea: Math.max(SPECK.pixels, SPECK.share * mask.width * mask.height) });
  if (large.length > 0) return large;
  const parts = connectedComponents(mask, { minArea: SPECK.pixels });
  const [largest, ...rest] = parts;
  if (largest !== undefined) return [rest.reduce((most, part) => (maskArea(part) > maskArea(most) ? part : most), largest)];
  throw new DataError({
    code: 'E_MASK_EMPTY',
    where,
    what: `the mask shows no object: ${area} pixels in pieces of less than ${SPECK.pixels}`,
    fix: 'Redraw it, or make the mask black',
  });
}

/** The source of a pair's sample. */
export function sourceOfPair({ id, image, mask }: MaskPair, phrase: string): SampleSource {
  return { id, files: [image, mask], annotation: phrase };
}

/**
 * The file names of a folder in natural order, without hidden ones (macOS adds `._NAME` beside every image in an archive).
 *
 * @throws DataError naming the folder when it does not exist.
 */
export async function listFolder(dir: string, fix: string): Promise<string[]> {
  const info = await stat(dir).catch(() => undefined);
  if (!info?.isDirectory()) throw new DataError({ code: 'E_FILE_NOT_FOUND', where: dir, what: 'there is no such folder', fix });
  const names = (await readdir(dir)).filter((name) => !name.startsWith('.'));
  return names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}
