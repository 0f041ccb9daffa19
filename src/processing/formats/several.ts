import { open, stat } from 'node:fs/promises';
import sharp from 'sharp';
import type { RasterImage } from '../raster-image.js';
import { isFilmName, lacksEnding, type PicturePart, plainIndex, severalPictures, splitAddress } from './address.js';
import { beginsAsDicom, DICOM_START, isDicomDirectory } from './dicom/begins.js';
import { DicomFile } from './dicom/dicom-file.js';
import { readImageFile } from './image-file.js';
import { openNifti, readNiftiHeader } from './nifti.js';
import { Recent } from './recent.js';

/** Names of files that may hold more than one picture. */
const VOLUME = /\.nii(\.gz)?$/i;
const PAGES = /\.tiff?$/i;

const volumes = new Recent(openNifti);
const films = new Recent(async (file) => DicomFile.parse(await readImageFile(file), file));

/** Whether a file is a NIfTI volume, by its name. */
export function isVolumeName(file: string): boolean {
  return VOLUME.test(file);
}

/** A plane of a volume. One with a single plane needs no part. */
export async function volumePicture(file: string, part: PicturePart | undefined): Promise<RasterImage> {
  const volume = await volumes.get(file);
  const planes = volume.slices() * volume.header.frames;
  if (part === undefined && planes > 1) throw severalPictures(file, planes, 'planes', `#${volume.slices() >> 1}`);
  const { axis = 2, index = 0, frame = 0 } = part ?? {};
  const address = { axis, index, frame };
  const { spacingMm } = volume.slice(address);
  return { ...volume.picture(address), ...(spacingMm.every((value) => value > 0) ? { spacingMm } : {}) };
}

/** A frame of a DICOM file. One with a single frame needs no part. */
export async function filmPicture(
  film: DicomFile | undefined,
  file: string,
  part: PicturePart | undefined,
): Promise<RasterImage> {
  const opened = film ?? (await films.get(file));
  const { frames } = opened.header;
  if (part === undefined && frames > 1) throw severalPictures(file, frames, 'frames');
  return opened.picture(part === undefined ? 0 : plainIndex(part, file));
}

/**
 * The pictures of a file by their addresses: all frames of a film, pages of a TIFF, planes of a volume across its third axis;
 * of any other file its name. A file that cannot be read keeps its name, so that reading it tells what is wrong.
 */
export async function listPictures(name: string): Promise<string[]> {
  const { file, part } = await splitAddress(name);
  if (part !== undefined) return [name];
  try {
    const [count, frames] = await counts(file);
    if (count * frames <= 1) return [name];
    return range(frames).flatMap((t) => range(count).map((k) => `${file}#${k}${frames > 1 ? `t${t}` : ''}`));
  } catch {
    return [name];
  }
}

async function counts(file: string): Promise<readonly [pictures: number, frames: number]> {
  if (VOLUME.test(file)) {
    const { shape, frames } = await readNiftiHeader(file);
    return [shape[2], frames];
  }
  if (PAGES.test(file)) return [(await sharp(await readImageFile(file), { limitInputPixels: false }).metadata()).pages ?? 1, 1];
  if (isFilmName(file) || (await isUnnamedFilm(file))) return [(await films.get(file)).header.frames, 1];
  return [1, 1];
}

/**
 * Whether a file without an ending is DICOM with pictures, by its content: scanners and discs leave endings out. The list of a
 * disc's files, DICOMDIR, is none.
 */
export async function isUnnamedFilm(file: string): Promise<boolean> {
  if (!lacksEnding(file) || !(await stat(file)).isFile()) return false;
  const handle = await open(file);
  try {
    const start = Buffer.alloc(DICOM_START);
    const { bytesRead } = await handle.read(start, 0, start.length, 0);
    const read = start.subarray(0, bytesRead);
    return beginsAsDicom(read) && !isDicomDirectory(read);
  } finally {
    await handle.close();
  }
}

function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}
