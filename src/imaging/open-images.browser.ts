import { DataError } from '../util/index.js';
import { openDicomFrames } from './dicom-frames.js';
import { isDicomName } from './formats/address.js';
import { beginsAsDicom } from './formats/dicom/begins.js';
import { browserPixels } from './formats/pixels.browser.js';
import { checkSize, WHERE } from './image-set.js';

const PNG = [0x89, 0x50, 0x4e, 0x47];

/** Browser counterpart of `open-images.ts`: supports the browser's formats and DICOM, but neither TIFF nor NIfTI. */
export const openImages: typeof import('./open-images.js').openImages = async (bytes, limits, name = '') => {
  if (beginsAsDicom(bytes) || isDicomName(name)) return openDicomFrames(bytes, limits);
  if (PNG.every((value, i) => bytes[i] === value) && bytes[24] === 16)
    throw new DataError({
      code: 'E_IMAGE_BROWSER',
      where: WHERE,
      what: 'it has 16 bits a sample, of which a browser keeps 8',
      fix: 'Save it with 8 bits',
    });
  const image = await browserPixels(bytes).catch((cause: unknown) => {
    throw new DataError({
      code: 'E_IMAGE_UNREADABLE',
      where: WHERE,
      what: 'it cannot be read as an image',
      fix: 'Choose a complete PNG, JPEG, WebP, BMP or DICOM file',
      cause,
    });
  });
  checkSize(image.width, image.height, limits);
  return { kind: 'image', count: 1, perFrame: 1, address: String, image: async () => image };
};
