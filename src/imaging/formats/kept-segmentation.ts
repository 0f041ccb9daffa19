import type { Size } from '../mask.js';
import { isDicomName, lacksEnding, splitAddress } from './address.js';
import { beginsAsDicom } from './dicom/begins.js';
import { DicomSegmentation } from './dicom/dicom-segmentation.js';
import { instanceIn } from './dicom/dicom-source.js';
import { readImageFile } from './image-file.js';
import { Recent } from './recent.js';

const segmentations = new Recent(async (file) => openSegmentation(await readImageFile(file), file));
const instances = new Recent(async (file) => instanceIn(await readImageFile(file), file));

/** Opens a DICOM segmentation in memory; undefined for any other file. */
export async function openSegmentation(bytes: Uint8Array, where: string): Promise<DicomSegmentation | undefined> {
  return beginsAsDicom(bytes) ? DicomSegmentation.parse(bytes, where) : undefined;
}

/** Opens the DICOM segmentation of a name, with or without an address, and keeps it for further frames; undefined for any other file. */
export async function openKeptSegmentation(name: string): Promise<DicomSegmentation | undefined> {
  const { file } = await splitAddress(name);
  return mayBeDicom(file) ? segmentations.get(file) : undefined;
}

/** @throws DataError naming a DICOM segmentation for an image of other rows and columns. Any other file may be of another size. */
export async function checkSegmentationSize(name: string, image: Size): Promise<void> {
  (await openKeptSegmentation(name))?.requireSize(image);
}

/** The SOP instance UID of a DICOM file; undefined for other files. */
export async function instanceOf(file: string): Promise<string | undefined> {
  return mayBeDicom(file) ? instances.get(file) : undefined;
}

function mayBeDicom(file: string): boolean {
  return isDicomName(file) || lacksEnding(file);
}
