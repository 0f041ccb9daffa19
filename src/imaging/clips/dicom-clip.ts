import { DicomFile } from '../formats/dicom/dicom-file.js';
import type { ClipSource } from './clip-source.js';

/**
 * The frames of a DICOM file. The encoded file is held in memory; each frame is decoded on demand.
 *
 * @param unpackedBytes - of a deflated file, the most that it may inflate to.
 */
export async function dicomClip(bytes: Uint8Array, file: string, unpackedBytes?: number): Promise<ClipSource> {
  const dicom = await DicomFile.parse(bytes, file, unpackedBytes);
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
