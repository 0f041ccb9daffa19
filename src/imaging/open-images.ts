import sharp from 'sharp';
import { DataError } from '../util/index.js';
import { openDicomFrames } from './dicom-frames.js';
import { isDicomName, plainIndex } from './formats/address.js';
import { isBmp } from './formats/bmp.js';
import { beginsAsDicom } from './formats/dicom/begins.js';
import { decodeByLibrary } from './formats/library.js';
import { openNifti } from './formats/nifti.js';
import { calibratedSlice } from './formats/nifti-calibration.js';
import { HEADER_BYTES } from './formats/nifti-header.js';
import { isTiff, type TiffPage, tiffPages } from './formats/tiff-pages.js';
import { decodeImage } from './image.js';
import { checkSize, type ImageLimits, type ImageSet, partOf, WHERE } from './image-set.js';
import type { RasterImage } from './raster-image.js';

/** Formats delegated to the library. It could also read drawings and documents, whose stated size is arbitrary. */
const FORMATS = ['png', 'jpeg', 'webp', 'tiff', 'gif'];

/**
 * Opens an image file in memory, of any kind that `decodeImage` reads and NIfTI, without writing it anywhere. The size stated by
 * the file is checked before decoding.
 *
 * @param name - the file's name, if known: old DICOM files lack a signature and are recognised by extension.
 * @throws DataError for other files, damaged ones, and those whose decoded size exceeds the limits.
 */
export async function openImages(sent: Uint8Array, limits: ImageLimits, name = ''): Promise<ImageSet> {
  // The library throws an error of its own kind.
  if (sent.byteLength === 0) throw unreadable(undefined);
  const bytes = Buffer.from(sent.buffer, sent.byteOffset, sent.byteLength);
  if (isNifti(bytes)) return openVolume(bytes, limits);
  if (beginsAsDicom(bytes) || isDicomName(name)) return openDicomFrames(bytes, limits);
  if (isBmp(bytes)) {
    const old = bytes.readUInt32LE(14) === 12;
    checkSize(old ? bytes.readUInt16LE(18) : bytes.readInt32LE(18), old ? bytes.readUInt16LE(20) : bytes.readInt32LE(22), limits);
    return single(() => decodeImage(bytes));
  }
  return openPages(bytes, limits);
}

/** A gzip stream can only be NIfTI. */
function isNifti(bytes: Buffer): boolean {
  if (bytes.length > 2 && bytes[0] === 0x1f && bytes[1] === 0x8b) return true;
  const magic = (at: number) => bytes.toString('latin1', at, at + 3);
  return bytes.length >= HEADER_BYTES.nifti1 && (['n+1', 'ni1'].includes(magic(344)) || ['n+2', 'ni2'].includes(magic(4)));
}

async function openVolume(bytes: Buffer, limits: ImageLimits): Promise<ImageSet> {
  const volume = await openNifti(bytes, limits.unpackedBytes);
  const { shape, frames } = volume.header;
  const [x, y, z] = shape;
  for (const [width, height] of [
    [x, y],
    [x, z],
    [y, z],
  ] as const)
    checkSize(width, height, limits);
  const count = z * frames;
  const address = (i: number) => `${i % z}${frames > 1 ? `t${Math.floor(i / z)}` : ''}`;
  return {
    kind: 'slices',
    count,
    perFrame: z,
    address,
    async image(text) {
      const { axis = 2, index, frame = 0 } = partOf(text, count, 'slices', address(z >> 1));
      return calibratedSlice(volume, { axis, index, frame });
    },
  };
}

async function openPages(bytes: Buffer, limits: ImageLimits): Promise<ImageSet> {
  if (!isTiff(bytes)) {
    const meta = await sharp(bytes, { limitInputPixels: false })
      .metadata()
      .catch((cause: unknown) => {
        throw unreadable(cause);
      });
    if (!FORMATS.includes(meta.format)) throw unreadable(undefined);
    checkSize(meta.width, meta.height, limits);
    return single(() => decodeByLibrary(bytes, WHERE, undefined));
  }
  // Pages may differ in size.
  const pages = tiffPages(bytes, WHERE);
  const [first] = pages as [TiffPage, ...TiffPage[]];
  checkSize(first.width, first.height, limits);
  if (pages.length === 1) return single(() => decodeByLibrary(bytes, WHERE, undefined));
  return {
    kind: 'pages',
    count: pages.length,
    perFrame: pages.length,
    address: String,
    async image(text) {
      const part = partOf(text, pages.length, 'pages');
      const { width, height } = pages[plainIndex(part, WHERE)] ?? first;
      checkSize(width, height, limits);
      return decodeByLibrary(bytes, WHERE, part);
    },
  };
}

function single(decode: () => Promise<RasterImage>): ImageSet {
  return {
    kind: 'image',
    count: 1,
    perFrame: 1,
    address: String,
    async image(text) {
      const part = partOf(text, 1, 'images');
      if (plainIndex(part, WHERE) !== 0)
        throw new DataError({
          code: 'E_FRAME_NOT_FOUND',
          where: WHERE,
          what: `there is no image ${part.index}`,
          fix: 'There is one, number 0',
        });
      return decode();
    },
  };
}

function unreadable(cause: unknown): DataError {
  return new DataError({
    code: 'E_IMAGE_UNREADABLE',
    where: WHERE,
    what: 'it cannot be read as an image',
    fix: 'Send a complete PNG, JPEG, TIFF, WebP, BMP, DICOM or NIfTI file',
    cause,
  });
}
