import { type ImageAddress, isDicomName, splitAddress } from './formats/address.js';
import { decodeBmp, isBmp } from './formats/bmp.js';
import { beginsAsDicom } from './formats/dicom/begins.js';
import { DicomFile } from './formats/dicom/dicom-file.js';
import { readImageFile } from './formats/image-file.js';
import { checkOnly, decodeByLibrary } from './formats/library.js';
import { decodeFrame, decodePlane, isVolumeName } from './formats/several.js';
import type { RasterImage } from './raster-image.js';

/**
 * Reads a PNG, JPEG, TIFF, WebP or BMP, a frame of a DICOM file or a plane of a NIfTI volume. Grey becomes RGB, deeper numbers
 * become 8 bits (`toBytes`; DICOM through its window, NIfTI by the volume's range), transparency lies over black, EXIF
 * rotation is applied.
 *
 * @param source - a file name, with `#N` after it for one of several pictures (a page, a frame, a plane), or the bytes of a file
 * other than NIfTI.
 * @throws DataError naming the file when it is missing, cannot be decoded, is too large, or holds several pictures and none
 * is named.
 */
export async function decodeImage(source: string | Buffer): Promise<RasterImage> {
  const { file, part } = await addressOf(source);
  if (typeof file === 'string') {
    if (isVolumeName(file)) return decodePlane(file, part);
    if (isDicomName(file)) return decodeFrame(undefined, file, part);
  }
  const bytes = await readImageFile(file);
  if (beginsAsDicom(bytes)) return decodeDicom(bytes, file, part);
  if (isBmp(bytes)) {
    checkOnly(part, nameOf(file));
    return decodeBmp(bytes, nameOf(source));
  }
  return decodeByLibrary(bytes, nameOf(file), part);
}

/** A file and which of its pictures is meant. */
export async function addressOf(
  source: string | Buffer,
): Promise<{ readonly file: string | Buffer; readonly part: ImageAddress | undefined }> {
  return typeof source === 'string' ? splitAddress(source) : { file: source, part: undefined };
}

/** A frame of a DICOM file that was recognised by its bytes. */
export async function decodeDicom(bytes: Buffer, file: string | Buffer, part: ImageAddress | undefined): Promise<RasterImage> {
  const known = part !== undefined && typeof file === 'string';
  return decodeFrame(known ? undefined : await DicomFile.parse(bytes, nameOf(file)), nameOf(file), part);
}

/** What an error calls an image. */
export function nameOf(source: string | Buffer): string {
  return typeof source === 'string' ? source : 'image';
}
