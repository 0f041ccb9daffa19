import { DataError } from '../../util/index.js';
import type { ImageSamples, SampleValues } from './samples.js';
import { unpackDeflate, unpackLzw, unpackPackBits } from './tiff-blocks.js';
import type { TiffPage } from './tiff-pages.js';

/** The supported compressions by TIFF code. */
const UNPACK: Readonly<Record<number, (packed: Uint8Array, size: number) => Uint8Array>> = {
  5: unpackLzw,
  8: unpackDeflate,
  32946: unpackDeflate,
  32773: unpackPackBits,
};

/** Headers with more samples per pixel are refused. */
const MAX_SAMPLES = 64;

/**
 * Whether the image library distorts the page's values: it clips signed ones to black, treats three-channel floats as linear
 * light, and cannot read 64-bit values.
 */
export function isDeepPage({ format, bits }: TiffPage): boolean {
  return format === 'signed' || format === 'float' || (bits > 16 && format === 'unsigned');
}

/**
 * Reads the values of a page as stored: signed integers, floats, and values of more than 16 bits.
 *
 * @param bytes - the whole file, whose directories were validated.
 * @param number - page index, from 0.
 * @throws DataError naming the file for damaged files and unsupported kinds.
 */
export async function deepSamples(bytes: Buffer, number: number, page: TiffPage, where: string): Promise<ImageSamples> {
  const refuse = (what: string) => {
    throw new DataError({
      code: 'E_IMAGE_FORMAT',
      where,
      what,
      fix: 'Save it with 8 or 16 bits a sample, or as floats of 32 bits',
    });
  };
  const { width, height, samples, alpha, photometric, orientation, compression, bits, format } = page;
  if (samples > MAX_SAMPLES) refuse(`its pixels have ${samples} numbers`);
  const long = bits === 64 && format !== 'float';
  if (long && samples !== 1) refuse('its numbers are whole ones of 64 bits in several channels, which are not read');
  if (compression !== 1 && UNPACK[compression] === undefined) refuse(`its compression ${compression} is not read at this depth`);
  if (orientation !== 1) refuse('it is turned by a tag, which is not read at this depth');
  const colours = samples - Number(alpha);
  if (![1, 2].includes(photometric) || (photometric === 1 ? 1 : 3) > colours)
    refuse(`its pixels are of kind ${photometric} with ${samples} numbers, which is not read at this depth`);
  const channels = ((photometric === 1 ? 1 : 3) + Number(alpha)) as 1 | 2 | 3 | 4;
  const { fromArrayBuffer } = await library();
  try {
    const file = await fromArrayBuffer(Uint8Array.from(bytes).buffer);
    const image = await file.getImage(number);
    if (long) return { width, height, channels: 1, values: await longNumbers(image, page, bytes), lossy: false };
    // Further samples, beyond colour and transparency, have no visual meaning.
    const wanted = Array.from({ length: channels }, (_, c) => (alpha && c === channels - 1 ? samples - 1 : c));
    const values = (await image.readRasters({ interleave: true, samples: wanted })) as unknown as SampleValues;
    if (values.length !== width * height * channels) throw new RangeError('other numbers than its header says');
    return { width, height, channels, values, lossy: false };
  } catch (cause) {
    throw new DataError({
      code: 'E_IMAGE_DAMAGED',
      where,
      what: 'its pixels cannot be read',
      fix: 'Copy or export it again',
      cause,
    });
  }
}

/** TIFF codes of the tags that describe how samples are stored. */
const STORED = { bits: 258, samples: 277, planar: 284, format: 339 } as const;

/** Reads 64-bit integers, which the library does not support, as pairs of 32-bit ones. Values above 53 bits lose precision. */
async function longNumbers(
  image: import('geotiff').GeoTIFFImage,
  { width, height, format }: TiffPage,
  bytes: Buffer,
): Promise<Float64Array> {
  const { fileDirectory } = image;
  // The predictor's differences are between 64-bit values.
  if (Number((await fileDirectory.loadValue('Predictor')) ?? 1) !== 1) throw new RangeError('a predictor of 64 bits');
  const tags = fileDirectory.actualizedFields;
  tags.set(STORED.bits, [32, 32]);
  tags.set(STORED.samples, 2);
  tags.set(STORED.planar, 1);
  tags.set(STORED.format, [1, 1]);
  image.planarConfiguration = 1;
  const halves = (await image.readRasters({ interleave: true })) as unknown as Uint32Array;
  if (halves.length !== width * height * 2) throw new RangeError('other numbers than its header says');
  const [low, high] = bytes[0] === 0x49 ? [0, 1] : [1, 0];
  return Float64Array.from({ length: width * height }, (_, i) => {
    const upper = halves[i * 2 + high] as number;
    return (format === 'signed' ? upper | 0 : upper) * 2 ** 32 + (halves[i * 2 + low] as number);
  });
}

let loaded: Promise<typeof import('geotiff')> | undefined;

/** The library, with its decompressors replaced by ones that stop at the block size. */
function library(): Promise<typeof import('geotiff')> {
  loaded ??= import('geotiff').then((geotiff) => {
    for (const [compression, unpack] of Object.entries(UNPACK)) {
      class Bounded extends geotiff.BaseDecoder {
        override decodeBlock(packed: ArrayBufferLike): ArrayBufferLike {
          const out = unpack(new Uint8Array(packed), (this.parameters as unknown as { blockBytes: number }).blockBytes);
          return Uint8Array.from(out).buffer;
        }
      }
      geotiff.addDecoder(Number(compression), async () => Bounded, blockParameters);
    }
    return geotiff;
  });
  return loaded;
}

type LibraryParameters = Awaited<ReturnType<NonNullable<Parameters<typeof import('geotiff').addDecoder>[2]>>>;
type BlockParameters = LibraryParameters & { readonly blockBytes: number };

/** Parameters of a decompressor: the library's own, plus the size of a strip or tile in bytes. */
async function blockParameters(directory: import('geotiff').ImageFileDirectory): Promise<BlockParameters> {
  const load = async (tag: string, otherwise: number) => Number((await directory.loadValue(tag as 'ImageWidth')) ?? otherwise);
  const tiled = directory.hasTag('TileWidth');
  const height = await load('ImageLength', 0);
  const tileWidth = tiled ? await load('TileWidth', 0) : await load('ImageWidth', 0);
  const tileHeight = tiled ? await load('TileLength', 0) : Math.min(height, await load('RowsPerStrip', height));
  const planarConfiguration = await load('PlanarConfiguration', 1);
  const bitsPerSample = (await directory.loadValue('BitsPerSample')) as ArrayLike<number> | number;
  const bits = typeof bitsPerSample === 'number' ? bitsPerSample : Number(bitsPerSample[0]);
  const samples = planarConfiguration === 1 ? await load('SamplesPerPixel', 1) : 1;
  return {
    tileWidth,
    tileHeight,
    planarConfiguration,
    bitsPerSample: bitsPerSample as number[],
    predictor: await load('Predictor', 1),
    blockBytes: (tileWidth * tileHeight * samples * bits) / 8,
  };
}
