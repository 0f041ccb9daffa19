import { plainIndex } from './formats/address.js';
import { DicomFile } from './formats/dicom/dicom-file.js';
import { checkSize, type ImageLimits, type ImageSet, partOf, WHERE } from './image-set.js';

/** Opens the frames of a DICOM file. */
export async function openDicomFrames(bytes: Uint8Array, limits: ImageLimits): Promise<ImageSet> {
  const dicom = await DicomFile.parse(bytes, WHERE, limits.unpackedBytes);
  const { width, height, frames: count } = dicom.header;
  checkSize(width, height, limits);
  return {
    kind: 'frames',
    count,
    perFrame: count,
    address: String,
    image: async (text) => dicom.image(plainIndex(partOf(text, count, 'frames'), WHERE)),
  };
}
