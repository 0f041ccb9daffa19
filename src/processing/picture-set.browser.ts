import { DataError } from '../util/index.js';
import type { PictureSet } from './picture-set.js';
import type { RasterImage } from './raster-image.js';

/** What errors call the file. */
const WHERE = 'image';

const PNG = [0x89, 0x50, 0x4e, 0x47];

/** As `picture-set.ts`, of the files that browsers decode. TIFF and NIfTI are not among them. */
export const openPictures: typeof import('./picture-set.js').openPictures = async (bytes, limits) => {
  if (PNG.every((value, i) => bytes[i] === value) && bytes[24] === 16)
    throw new DataError({
      where: WHERE,
      what: 'it has 16 bits a sample, of which a browser keeps 8',
      fix: 'Save it with 8 bits, or open it with `npm run serve`',
    });
  return single(await decode(bytes, limits.pixels));
};

/** Transparency lies over black and EXIF rotation is applied, as everywhere; colours are taken as they are. */
async function decode(bytes: Uint8Array, mostPixels: number): Promise<RasterImage> {
  const blob = new Blob([bytes as Uint8Array<ArrayBuffer>]);
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: 'none' }).catch((cause: unknown) => {
    throw new DataError({
      where: WHERE,
      what: 'it cannot be read as an image',
      fix: 'Choose a complete PNG, JPEG, WebP, BMP or DICOM file; TIFF and NIfTI are read by `npm run serve`',
      cause,
    });
  });
  const { width, height } = bitmap;
  try {
    if (width * height > mostPixels)
      throw new DataError({
        where: WHERE,
        what: `it is ${width}x${height} pixels; up to ${mostPixels / 1e6} million are taken`,
        fix: 'Make it smaller',
      });
    const context = new OffscreenCanvas(width, height).getContext('2d', { alpha: false, willReadFrequently: true });
    if (context === null) throw new DataError({ where: WHERE, what: 'the browser has no memory for its pixels' });
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    const rgb = new Uint8Array(width * height * 3);
    for (let i = 0; i < width * height; i++) rgb.set(data.subarray(i * 4, i * 4 + 3), i * 3);
    return { width, height, data: rgb };
  } finally {
    bitmap.close();
  }
}

function single(image: RasterImage): PictureSet {
  return { kind: 'picture', count: 1, perFrame: 1, address: String, picture: async () => image };
}
