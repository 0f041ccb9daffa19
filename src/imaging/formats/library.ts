import sharp, { type Metadata, type Sharp } from 'sharp';
import { DataError } from '../../util/index.js';
import type { RasterImage } from '../raster-image.js';
import { type ImageAddress, plainIndex, severalImages } from './address.js';
import { toBytes } from './deep.js';
import type { ImageSamples, SampleValues } from './samples.js';
import { deepSamples, isDeepPage } from './tiff-numbers.js';
import { isTiff, type TiffPage, tiffPages } from './tiff-pages.js';

/** Files with more pixels are refused: a decompression bomb, or a mistake. */
const MAX_PIXELS = 100_000_000;

/** Decodes a page of a PNG, JPEG, TIFF, WebP or another format of the library to 8 bits. */
export async function decodeByLibrary(bytes: Buffer, file: string, part: ImageAddress | undefined): Promise<RasterImage> {
  return reading(file, async () => {
    const opened = await openPage(bytes, file, part);
    if (opened.kind === 'numbers') {
      const { width, height, channels, values } = await deepSamples(bytes, opened.page, opened.tiff, file);
      return { width, height, data: toRgb(toBytes(withoutAlpha(values, channels)), channels < 3 ? 1 : 3) };
    }
    const { page, meta } = opened;
    const picture = sharp(bytes, { limitInputPixels: MAX_PIXELS, page }).rotate().flatten({ background: '#000' });
    const { values, width, height, channels } = await pixels(picture, meta);
    return { width, height, data: toRgb(values, channels) };
  });
}

/**
 * Reads the values of a page at their stored depth, including transparency. Colour profiles are ignored: the values are labels,
 * not shades.
 */
export async function samplesByLibrary(bytes: Buffer, file: string, part: ImageAddress | undefined): Promise<ImageSamples> {
  return reading(file, async () => {
    const opened = await openPage(bytes, file, part);
    if (opened.kind === 'numbers') return deepSamples(bytes, opened.page, opened.tiff, file);
    const { page, meta } = opened;
    const picture = sharp(bytes, { limitInputPixels: MAX_PIXELS, page, ignoreIcc: true }).rotate();
    const deep = meta.depth === 'ushort';
    // With transparency, as colours: the library drops it from grey.
    const grey = meta.channels === 1;
    const space = deep ? (grey ? 'grey16' : 'rgb16') : grey ? 'b-w' : 'srgb';
    const { data, info } = await picture
      .toColourspace(space)
      .raw({ depth: deep ? 'ushort' : 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const own = Uint8Array.from(data);
    const { width, height, channels } = info;
    const values = deep ? new Uint16Array(own.buffer) : own;
    const whiteFirst = opened.tiff?.photometric === 0;
    return { width, height, channels, values, lossy: isLossy(opened, bytes), ...(whiteFirst && { whiteFirst }) };
  });
}

/** Number of pages in a file. Animations count as their first frame. */
export function countPages(bytes: Buffer, file: string): number {
  return isTiff(bytes) ? tiffPages(bytes, file).length : 1;
}

type Opened =
  | { readonly kind: 'image'; readonly page: number; readonly meta: Metadata; readonly tiff?: TiffPage | undefined }
  | { readonly kind: 'numbers'; readonly page: number; readonly tiff: TiffPage };

/** Selects the page and checks its size before decoding. */
async function openPage(bytes: Buffer, file: string, part: ImageAddress | undefined): Promise<Opened> {
  const pages = isTiff(bytes) ? tiffPages(bytes, file) : undefined;
  const page = pageOf(pages, file, part);
  const tiff = pages?.[page];
  if (tiff !== undefined) checkPage(tiff, file);
  if (tiff !== undefined && isDeepPage(tiff)) return { kind: 'numbers', page, tiff };
  const meta = await sharp(bytes, { limitInputPixels: false, page }).metadata();
  checkSize(meta, file);
  return { kind: 'image', page, meta, tiff };
}

/** The index of the selected page. */
function pageOf(pages: readonly TiffPage[] | undefined, file: string, part: ImageAddress | undefined): number {
  if (pages === undefined) {
    checkOnly(part, file);
    return 0;
  }
  if (part === undefined && pages.length > 1) throw severalImages(file, pages.length, 'pages');
  const page = part === undefined ? 0 : plainIndex(part, file);
  if (page < pages.length) return page;
  const fix = pages.length === 1 ? 'There is one, number 0' : `They are numbered 0 to ${pages.length - 1}`;
  throw new DataError({ code: 'E_FRAME_NOT_FOUND', where: file, what: `there is no page ${page}`, fix });
}

/** @throws DataError when another image than the first is selected in a single-image format. */
export function checkOnly(part: ImageAddress | undefined, file: string): void {
  if (part === undefined || plainIndex(part, file) === 0) return;
  throw new DataError({
    code: 'E_FRAME_NOT_FOUND',
    where: file,
    what: `there is no image ${part.index}`,
    fix: 'There is one, number 0',
  });
}

/** Checks the size of a page and of its strips and tiles. */
function checkPage({ width, height, block }: TiffPage, file: string): void {
  checkSize({ width, height }, file);
  // A tile may extend beyond the edge, and a pixel may have several samples.
  if (block <= 8 * MAX_PIXELS && width * height > 0) return;
  throw new DataError({
    code: 'E_IMAGE_DAMAGED',
    where: file,
    what: `its header says ${width}x${height} pixels, in blocks of ${block} numbers`,
    fix: 'Copy or export it again',
  });
}

function checkSize({ width, height }: { readonly width: number; readonly height: number }, file: string): void {
  if (width * height <= MAX_PIXELS) return;
  throw new DataError({
    code: 'E_IMAGE_TOO_LARGE',
    where: file,
    what: `it is ${width}x${height} pixels; up to ${MAX_PIXELS / 1e6} million are read`,
    fix: 'Check the file, or make it smaller',
  });
}

/** Reports any error of the library as an unreadable file. */
async function reading<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof DataError) throw cause;
    throw new DataError({
      code: 'E_IMAGE_UNREADABLE',
      where: file,
      what: 'it cannot be read as an image',
      fix: 'Check that it is a complete PNG, JPEG, TIFF, WebP, BMP, DICOM or NIfTI file',
      cause,
    });
  }
}

interface Pixels {
  readonly values: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

async function pixels(picture: Sharp, { depth, channels: stored = 3 }: Metadata): Promise<Pixels> {
  if (depth !== 'ushort') {
    const { data, info } = await picture.toColourspace('srgb').raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    return { values: new Uint8Array(data), width: info.width, height: info.height, channels: info.channels };
  }
  const deep = picture.toColourspace(stored < 3 ? 'grey16' : 'rgb16').raw({ depth });
  const { data, info } = await deep.toBuffer({ resolveWithObject: true });
  const values = toBytes(new Uint16Array(Uint8Array.from(data).buffer));
  return { values, width: info.width, height: info.height, channels: info.channels };
}

/** TIFF codes of lossy compressions: two kinds of JPEG, JPEG 2000, WebP. */
const LOSSY = [6, 7, 34712, 50001];

function isLossy({ meta: { format }, tiff }: Extract<Opened, { kind: 'image' }>, bytes: Buffer): boolean {
  if (tiff !== undefined) return LOSSY.includes(tiff.compression);
  // A lossless WebP starts with a different chunk.
  if (format === 'webp') return bytes.includes('VP8 ', 12, 'latin1') && !bytes.includes('VP8L', 12, 'latin1');
  return format !== 'png' && format !== 'gif';
}

function withoutAlpha(values: SampleValues, channels: number): SampleValues {
  return channels % 2 === 1 ? values : values.filter((_value, i) => i % channels !== channels - 1);
}

/** Drops transparency and expands grey to three channels. */
function toRgb(data: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return data;
  const count = data.length / channels;
  const rgb = new Uint8Array(count * 3);
  for (let i = 0; i < count; i++)
    for (let c = 0; c < 3; c++) rgb[i * 3 + c] = data[i * channels + (channels < 3 ? 0 : c)] as number;
  return rgb;
}
