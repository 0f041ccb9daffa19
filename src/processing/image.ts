import sharp, { type Metadata, type Sharp } from 'sharp';
import { DataError } from '../util/index.js';
import { isFilmName, type PicturePart, plainIndex, severalPictures, splitAddress } from './formats/address.js';
import { decodeBmp, isBmp } from './formats/bmp.js';
import { toBytes } from './formats/deep.js';
import { beginsAsDicom } from './formats/dicom/begins.js';
import { DicomFile } from './formats/dicom/dicom-file.js';
import { readImageFile } from './formats/image-file.js';
import { filmPicture, isVolumeName, volumePicture } from './formats/several.js';
import type { RasterImage } from './raster-image.js';

/** Pixels above which a file is refused: a decoding bomb, or a mistake. */
const MAX_PIXELS = 100_000_000;

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
  const { file, part } = typeof source === 'string' ? await splitAddress(source) : { file: source, part: undefined };
  const where = nameOf(source);
  if (typeof file === 'string') {
    if (isVolumeName(file)) return volumePicture(file, part);
    if (isFilmName(file)) return filmPicture(undefined, file, part);
  }
  const bytes = await readImageFile(file);
  if (beginsAsDicom(bytes))
    return filmPicture(
      part === undefined || typeof file !== 'string' ? await DicomFile.parse(bytes, nameOf(file)) : undefined,
      nameOf(file),
      part,
    );
  if (isBmp(bytes)) {
    checkOnly(part, nameOf(file));
    return decodeBmp(bytes, where);
  }
  return decodeByLibrary(bytes, nameOf(file), part);
}

/** Reads a page of a PNG, JPEG, TIFF, WebP or what else the library reads; for others {@link decodeImage}. */
export async function decodeByLibrary(bytes: Buffer, file: string, part: PicturePart | undefined): Promise<RasterImage> {
  try {
    const meta = await sharp(bytes, { limitInputPixels: false }).metadata();
    checkSize(meta, file);
    const page = pageOf(meta, file, part);
    const picture = sharp(bytes, { limitInputPixels: MAX_PIXELS, page }).rotate().flatten({ background: '#000' });
    const { values, width, height, channels } = await pixels(picture, meta);
    return { width, height, data: toRgb(values, channels) };
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError({
      where: file,
      what: 'it cannot be read as an image',
      fix: 'Check that it is a complete PNG, JPEG, TIFF, WebP, BMP, DICOM or NIfTI file',
      cause,
    });
  }
}

/** Which page is meant. Animations count as their first picture. */
function pageOf({ format, pages = 1 }: Metadata, file: string, part: PicturePart | undefined): number {
  if (format !== 'tiff') {
    checkOnly(part, file);
    return 0;
  }
  if (part === undefined && pages > 1) throw severalPictures(file, pages, 'pages');
  const page = part === undefined ? 0 : plainIndex(part, file);
  if (page < pages) return page;
  const fix = pages === 1 ? 'There is one, number 0' : `They are numbered 0 to ${pages - 1}`;
  throw new DataError({ where: file, what: `there is no page ${page}`, fix });
}

/** @throws DataError when a second picture of a file is asked for that can only hold one. */
function checkOnly(part: PicturePart | undefined, file: string): void {
  if (part === undefined || plainIndex(part, file) === 0) return;
  throw new DataError({ where: file, what: `there is no picture ${part.index}`, fix: 'There is one, number 0' });
}

function checkSize({ width, height }: Metadata, file: string): void {
  if (width * height <= MAX_PIXELS) return;
  throw new DataError({
    where: file,
    what: `it is ${width}x${height} pixels; up to ${MAX_PIXELS / 1e6} million are read`,
    fix: 'Check the file, or make it smaller',
  });
}

interface Pixels {
  readonly values: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

async function pixels(picture: Sharp, { depth, channels: stored = 3 }: Metadata): Promise<Pixels> {
  if (depth === 'uchar') {
    const { data, info } = await picture.toColourspace('srgb').raw({ depth }).toBuffer({ resolveWithObject: true });
    return { values: new Uint8Array(data), width: info.width, height: info.height, channels: info.channels };
  }
  const sixteen = depth === 'ushort';
  const deep = sixteen ? picture.toColourspace(stored < 3 ? 'grey16' : 'rgb16') : picture;
  const { data, info } = await deep.raw({ depth: sixteen ? 'ushort' : 'float' }).toBuffer({ resolveWithObject: true });
  const aligned = Uint8Array.from(data).buffer;
  const values = toBytes(sixteen ? new Uint16Array(aligned) : new Float32Array(aligned));
  return { values, width: info.width, height: info.height, channels: info.channels };
}

/** What an error calls an image. */
export function nameOf(source: string | Buffer): string {
  return typeof source === 'string' ? source : 'image';
}

function toRgb(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return data;
  const count = data.length / channels;
  const rgb = new Uint8Array(count * 3);
  for (let i = 0; i < count; i++) rgb.fill(data[i * channels] as number, i * 3, i * 3 + 3);
  return rgb;
}
