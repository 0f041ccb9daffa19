import { DataError } from '../util/index.js';
import { type ImageAddress, parsePart, severalImages } from './formats/address.js';
import type { RasterImage } from './raster-image.js';

/** What errors call a file that somebody sent: its name may tell of the patient. */
export const WHERE = 'image';

/** How much a file that somebody sent may become when it is unpacked. */
export interface ImageLimits {
  /** Of one picture. */
  readonly pixels: number;
  /** Of a volume's voxels, or of a DICOM file whose bytes are deflated. */
  readonly unpackedBytes: number;
}

/** The images of a file. */
export interface ImageSet {
  /** What they are called: an only picture, frames of a cine clip, pages of a TIFF, planes of a volume. */
  readonly kind: 'picture' | 'frames' | 'pages' | 'planes';
  readonly count: number;
  /** How many of them make a volume, where a file holds several (time points, channels); else all. */
  readonly perFrame: number;
  /** The address of image `i`, from 0: what {@link ImageSet.image} takes. */
  address(i: number): string;
  /**
   * Decodes one of them.
   *
   * @param address - what stands after `#` in a name: `3`, of a volume also `x40` or `40t2`. May be left out if there is one.
   * @throws DataError when there is no such image, several and none is named, or it is damaged.
   */
  image(address?: string): Promise<RasterImage>;
}

/** The part that is meant; the only one if none is named. */
export function partOf(text: string | undefined, count: number, kind: string, example = '0'): ImageAddress {
  if (text !== undefined && text !== '') return parsePart(text);
  if (count > 1) throw severalImages(WHERE, count, kind, `#${example}`);
  return parsePart('0');
}

/** @throws DataError when a picture has more pixels than are taken. */
export function checkSize(width: number, height: number, { pixels }: Pick<ImageLimits, 'pixels'>): void {
  if (Math.abs(width * height) <= pixels) return;
  throw new DataError({
    code: 'E_IMAGE_TOO_LARGE',
    where: WHERE,
    what: `it is ${width}x${Math.abs(height)} pixels; up to ${pixels / 1e6} million are taken`,
    fix: 'Make it smaller, or raise the limit',
  });
}
