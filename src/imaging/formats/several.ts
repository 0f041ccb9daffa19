import type { RasterImage } from '../raster-image.js';
import { type ImageAddress, isDicomName, lacksEnding, plainIndex, severalImages, splitAddress } from './address.js';
import { beginsAsDicom, DICOM_START, isDicomDirectory } from './dicom/begins.js';
import { DicomFile } from './dicom/dicom-file.js';
import { readImageFile, readImageStart } from './image-file.js';
import { countPages } from './library.js';
import { openNifti, readNiftiHeader } from './nifti.js';
import { calibratedSlice } from './nifti-calibration.js';
import type { NiftiVolume, SliceAddress } from './nifti-volume.js';
import { Recent } from './recent.js';

/** Names of files that may hold several images. */
const VOLUME = /\.nii(\.gz)?$/i;
const PAGES = /\.tiff?$/i;

const volumes = new Recent(openNifti);
const dicomFiles = new Recent(async (file) => DicomFile.parse(await readImageFile(file), file));

/** Whether a file is a NIfTI volume, by its name. */
export function isVolumeName(file: string): boolean {
  return VOLUME.test(file);
}

/** Opens a volume and keeps it for further slices. */
export function openKeptVolume(file: string): Promise<NiftiVolume> {
  return volumes.get(file);
}

/** The selected slice of a volume. A volume with a single slice needs no address. */
export function planeAddress(volume: NiftiVolume, file: string, part: ImageAddress | undefined): SliceAddress {
  const slices = volume.slices() * volume.header.frames;
  if (part === undefined && slices > 1) throw severalImages(file, slices, 'slices', `#${volume.slices() >> 1}`);
  const { axis = 2, index = 0, frame = 0 } = part ?? {};
  return { axis, index, frame };
}

/** Decodes a slice of a volume. */
export async function decodePlane(file: string, part: ImageAddress | undefined): Promise<RasterImage> {
  const volume = await openKeptVolume(file);
  const address = planeAddress(volume, file, part);
  return calibratedSlice(volume, address);
}

/** Decodes a frame of a DICOM file. A file with a single frame needs no address. */
export async function decodeFrame(
  dicom: DicomFile | undefined,
  file: string,
  part: ImageAddress | undefined,
): Promise<RasterImage> {
  const opened = dicom ?? (await dicomFiles.get(file));
  const { frames } = opened.header;
  if (part === undefined && frames > 1) throw severalImages(file, frames, 'frames');
  return opened.image(part === undefined ? 0 : plainIndex(part, file));
}

/**
 * Files with more images are not listed. The longest cine clips and volumes have some ten thousand; a header that states more is
 * wrong, and the names alone would exhaust memory.
 */
const MAX_LISTED = 100_000;

/**
 * Lists the images of a file by their addresses: the frames of a cine clip, the pages of a TIFF, the slices of a volume along its
 * third axis; for any other file, its name. An unreadable file keeps its name, so that the later read reports the problem.
 */
export async function listImages(name: string): Promise<string[]> {
  const { file, part } = await splitAddress(name);
  if (part !== undefined) return [name];
  try {
    const [count, frames] = await counts(file);
    if (count * frames <= 1 || !(count * frames <= MAX_LISTED)) return [name];
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
  if (PAGES.test(file)) return [countPages(await readImageFile(file), file), 1];
  if (isDicomName(file) || (await isUnnamedDicom(file))) return [(await dicomFiles.get(file)).header.frames, 1];
  return [1, 1];
}

/**
 * Whether a file without an extension is DICOM with images, by its content: scanners and discs often omit extensions. DICOMDIR,
 * the directory of a disc, is not.
 */
export async function isUnnamedDicom(file: string): Promise<boolean> {
  if (!lacksEnding(file)) return false;
  const start = await readImageStart(file, DICOM_START);
  return beginsAsDicom(start) && !isDicomDirectory(start);
}

function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}
