import { DataError } from '../util/index.js';
import { type ImageAddress, parsePart, severalImages } from './formats/address.js';
import type { RasterImage } from './raster-image.js';

/** Name of an uploaded file in errors: its real name may identify the patient. */
export const WHERE = 'image';

/** Limits for the decoded size of an uploaded file. */
export interface ImageLimits {
  /** Of one image. */
  readonly pixels: number;
  /** Of a volume's voxels, or of an inflated cine clip. */
  readonly unpackedBytes: number;
}

/** The images of a file. */
export interface ImageSet {
  /** Kind of images: a single one, frames of a cine clip, pages of a TIFF, slices of a volume. */
  readonly kind: 'image' | 'frames' | 'pages' | 'slices';
  readonly count: number;
  /** Number of slices per volume, in a file of several volumes (time points, channels); otherwise the total. */
  readonly perFrame: number;
  /** The address of image `i`, from 0: the argument of {@link ImageSet.image}. */
  address(i: number): string;
  /**
   * Decodes one of the images.
   *
   * @param address - as after `#` in a name: `3`, for a volume also `x40` or `40t2`. Optional for a single image.
   * @throws DataError when there is no such image, when several exist and none is selected, or when it is damaged.
   */
  image(address?: string): Promise<RasterImage>;
}

/** Parses the selected address; defaults to the only image. */
export function partOf(text: string | undefined, count: number, kind: string, example = '0'): ImageAddress {
  if (text !== undefined && text !== '') return parsePart(text);
  if (count > 1) throw severalImages(WHERE, count, kind, `#${example}`);
  return parsePart('0');
}

/** @throws DataError when an image has more pixels than the limit. */
export function checkSize(width: number, height: number, { pixels }: Pick<ImageLimits, 'pixels'>): void {
  if (Math.abs(width * height) <= pixels) return;
  throw new DataError({
    code: 'E_IMAGE_TOO_LARGE',
    where: WHERE,
    what: `it is ${width}x${Math.abs(height)} pixels; up to ${pixels / 1e6} million are taken`,
    fix: 'Make it smaller, or raise the limit',
  });
}
