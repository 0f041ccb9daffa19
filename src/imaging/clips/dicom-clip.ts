import { DicomFile } from '../formats/dicom/dicom-file.js';
import type { ClipSource } from './clip-source.js';

/** The frames of a DICOM file. The encoded file is held in memory; each frame is decoded on demand. */
export async function dicomClip(bytes: Buffer, file: string): Promise<ClipSource> {
  const dicom = await DicomFile.parse(bytes, file);
  const { width, height, frames, frameSeconds } = dicom.header;
  return {
    name: file,
    frames,
    width,
    height,
    frameSeconds,
    notices: [],
    address: (index) => `${file}#${index}`,
    decode: async (index) => ({ first: index, images: [await dicom.image(index)] }),
  };
}
