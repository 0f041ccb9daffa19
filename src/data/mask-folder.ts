import { readdir, stat } from 'node:fs/promises';

import { type BoxXyxy, boxOfMask, connectedComponents, decodeGreyMask, decodeImage, fitMask } from '../processing/index.js';
import { DataError } from '../util/index.js';
import type { Sample, SampleObject, SampleSource } from './types.js';

/** Share of the image below which a part of a mask is taken for a speck, not for an object. */
const SPECK = 0.001;

/** Image files that readers look for, by ending. */
export const IMAGE_FILE = /\.(png|jpe?g|bmp|tiff?|webp|dcm|dicom|ima|nii|nii\.gz)$/i;

/** One image with the mask of everything that the phrase names in it. */
export interface MaskPair {
  readonly id: string;
  readonly image: string;
  readonly mask: string;
}

/** Reads an image and its mask; each connected part of the mask is an object. An empty mask makes a negative. */
export async function loadMaskPair(
  { id, image: file, mask: maskFile }: MaskPair,
  dataset: string,
  phrase: string,
): Promise<Sample> {
  const [image, grey] = await Promise.all([decodeImage(file), decodeGreyMask(maskFile)]);
  const mask = fitMask(grey, image, maskFile);
  const parts = connectedComponents(mask, { minArea: Math.max(4, SPECK * image.width * image.height) });
  const objects = parts.map((part): SampleObject => ({ phrase, boxXyxyPx: boxOfMask(part) as BoxXyxy, mask: part }));
  return { id, dataset, file, image, objects, phrases: [phrase] };
}

/** Where the sample of a pair comes from. */
export function sourceOfPair({ id, image, mask }: MaskPair, phrase: string): SampleSource {
  return { id, files: [image, mask], annotation: phrase };
}

/**
 * The file names of a folder in natural order, without hidden ones (macOS leaves `._NAME` beside every image of an archive).
 *
 * @throws DataError naming the folder when it is not there.
 */
export async function listFolder(dir: string, fix: string): Promise<string[]> {
  const info = await stat(dir).catch(() => undefined);
  if (!info?.isDirectory()) throw new DataError({ where: dir, what: 'there is no such folder', fix });
  const names = (await readdir(dir)).filter((name) => !name.startsWith('.'));
  return names.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}
