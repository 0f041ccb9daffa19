import { isDicomName, lacksEnding } from './address.js';
import { beginsAsDicom } from './dicom/begins.js';
import { DicomSegmentation } from './dicom/dicom-segmentation.js';
import { parseDicomElements } from './dicom/dicom-source.js';
import { readImageFile } from './image-file.js';
import { Recent } from './recent.js';

const segmentations = new Recent(async (file) => openSegmentation(await readImageFile(file), file));
const instances = new Recent(async (file) => {
  const bytes = await readImageFile(file);
  if (!beginsAsDicom(bytes)) return undefined;
  return (await parseDicomElements(bytes, file)).set.string('x00080018')?.trim();
});

/** Opens a DICOM segmentation in memory; undefined for any other file. */
export async function openSegmentation(bytes: Uint8Array, where: string): Promise<DicomSegmentation | undefined> {
  return beginsAsDicom(bytes) ? DicomSegmentation.parse(bytes, where) : undefined;
}

/** Opens a DICOM segmentation and keeps it for further frames; undefined for any other file. */
export async function openKeptSegmentation(file: string): Promise<DicomSegmentation | undefined> {
  return mayBeDicom(file) ? segmentations.get(file) : undefined;
}

/** The SOP instance UID of a DICOM file; undefined for other files. */
export async function instanceOf(file: string): Promise<string | undefined> {
  return mayBeDicom(file) ? instances.get(file) : undefined;
}

function mayBeDicom(file: string): boolean {
  return isDicomName(file) || lacksEnding(file);
}
