import { plainIndex } from './formats/address.js';
import { DicomFile } from './formats/dicom/dicom-file.js';
import { checkSize, type PictureLimits, type PictureSet, partOf, WHERE } from './pictures.js';

/** The frames of a DICOM file. */
export async function openFilm(bytes: Uint8Array, limits: PictureLimits): Promise<PictureSet> {
  const film = await DicomFile.parse(bytes, WHERE, limits.unpackedBytes);
  const { width, height, frames: count } = film.header;
  checkSize(width, height, limits);
  return {
    kind: 'frames',
    count,
    perFrame: count,
    address: String,
    picture: async (text) => film.picture(plainIndex(partOf(text, count, 'frames'), WHERE)),
  };
}
