import { type ImageAddress, isDicomName, splitAddress } from './formats/address.js';
import { decodeBmp, isBmp } from './formats/bmp.js';
import { beginsAsDicom } from './formats/dicom/begins.js';
import { DicomFile } from './formats/dicom/dicom-file.js';
import { readImageFile } from './formats/image-file.js';
import { checkOnly, decodeByLibrary } from './formats/library.js';
import { decodeFrame, decodePlane, isVolumeName } from './formats/several.js';
import type { RasterImage } from './raster-image.js';

/**
 * Decodes a PNG, JPEG, TIFF, WebP or BMP, a frame of a DICOM file or a slice of a NIfTI volume. Grey becomes RGB, deeper values
 * are converted to 8 bits (`toBytes`; DICOM by its window, NIfTI by the volume's range), transparency is composited over black,
 * EXIF rotation is applied.
 *
 * @param source - a file name, followed by `#N` for one of several images (a page, a frame, a slice), or the bytes of a file
 *   other than NIfTI.
 * @throws DataError naming the file when it is missing, cannot be decoded, is too large, or holds several images and none is
 *   selected.
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

/** Splits a source into the file and the selected image. */
export async function addressOf(
  source: string | Buffer,
): Promise<{ readonly file: string | Buffer; readonly part: ImageAddress | undefined }> {
  return typeof source === 'string' ? splitAddress(source) : { file: source, part: undefined };
}

/** Decodes a frame of a DICOM file recognised by its content. */
export async function decodeDicom(bytes: Buffer, file: string | Buffer, part: ImageAddress | undefined): Promise<RasterImage> {
  const known = part !== undefined && typeof file === 'string';
  return decodeFrame(known ? undefined : await DicomFile.parse(bytes, nameOf(file)), nameOf(file), part);
}

/** Name of an image in errors. */
export function nameOf(source: string | Buffer): string {
  return typeof source === 'string' ? source : 'image';
}
