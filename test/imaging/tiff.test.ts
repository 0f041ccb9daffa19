import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { decodeImage, decodeMaskLevels, listImages, openImages } from '../../src/imaging/index.js';
import { DataError } from '../../src/util/index.js';
import { expectError } from '../support/expect-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { type TiffParts, tiff, tiffOfPages } from '../support/tiff.js';

const dir = temporaryFolder('tiff');

const LIMITS = { pixels: 1e6, unpackedBytes: 1e6 };
const red = ({ data }: { readonly data: Uint8Array }) => [...data].filter((_value, i) => i % 3 === 0);
const SIZE = { width: 3, height: 2 };

describe('TIFF of any depth', () => {
  const values = [0, 40, 90, 127, 0, 1];
  it.each(
    (['int8', 'uint16', 'int16', 'uint32', 'int32', 'float32', 'float64', 'int64'] as const).flatMap((kind) =>
      (['little', 'big'] as const).flatMap((endian) =>
        ([undefined, 'deflate', 'packbits'] as const).map((packed) => ({ kind, endian, packed })),
      ),
    ),
  )('keeps integers unchanged: $kind, $endian endian, packed by $packed', async ({ packed, ...how }) => {
    const file = tiff({ ...SIZE, ...how, ...(packed && { packed }), values });
    expect(red(await decodeImage(file))).toEqual(values);
    expect([...(await decodeMaskLevels(file)).levels]).toEqual(values);
    expect(red(await (await openImages(file, LIMITS)).image())).toEqual(values);
  });

  it('keeps signed numbers below 0 and beyond 32 bits', async () => {
    for (const [kind, far] of [
      ['int16', -32768],
      ['int32', -(2 ** 31)],
      ['int64', -(2 ** 40)],
    ] as const)
      expect([...(await decodeMaskLevels(tiff({ ...SIZE, kind, values: [far, -1, 0, 1, 2, 3] }))).levels]).toEqual([
        far,
        -1,
        0,
        1,
        2,
        3,
      ]);
  });

  it('spreads signed numbers from the smallest to the largest, and 12 bits over 8', async () => {
    const signed = tiff({ ...SIZE, kind: 'int16', values: [-1000, 0, 1000, -1000, 0, 1000] });
    expect(red(await decodeImage(signed))).toEqual([0, 128, 255, 0, 128, 255]);
    const twelve = tiff({ ...SIZE, kind: 'int16', values: [0, 2048, 4095, 0, 0, 0] });
    expect(red(await decodeImage(twelve))).toEqual([0, 128, 255, 0, 0, 0]);
  });

  it('takes floats of three colours for numbers, not for linear light', async () => {
    const colours = [0, 100, 200, 50, 25, 12, 255, 0, 1, 0, 0, 0, 9, 8, 7, 60, 70, 80];
    const file = tiff({ ...SIZE, kind: 'float32', channels: 3, values: colours });
    expect([...(await decodeImage(file)).data]).toEqual(colours);
  });

  it('reads LZW with differences between neighbours as the image library writes it', async () => {
    const levels = Array.from({ length: 80 * 60 }, (_, i) => (i % 80) * 3 + (i > 2000 ? 700 : 0));
    const unsigned = await sharp(Uint16Array.from(levels), { raw: { width: 80, height: 60, channels: 1 } })
      .toColourspace('grey16')
      .tiff({ compression: 'lzw', predictor: 'horizontal' })
      .toBuffer();
    expect([...(await decodeMaskLevels(asSigned(unsigned))).levels]).toEqual(levels);
  });

  it('reads tiles', async () => {
    const levels = Array.from({ length: 50 * 40 }, (_, i) => i);
    const unsigned = await sharp(Uint16Array.from(levels), { raw: { width: 50, height: 40, channels: 1 } })
      .toColourspace('grey16')
      .tiff({ compression: 'deflate', tile: true, tileWidth: 16, tileHeight: 16 })
      .toBuffer();
    expect([...(await decodeMaskLevels(asSigned(unsigned))).levels]).toEqual(levels);
  });

  it('reads pages of several depths by their numbers', async () => {
    const file = join(dir, 'pages.tif');
    const page = (kind: TiffParts['kind'], level: number) => ({ ...SIZE, kind, values: Array(6).fill(level) });
    await writeFile(file, tiffOfPages([page('uint16', 3), page('int16', 40), page('float64', 90)]));
    expect(await listImages(file)).toEqual([0, 1, 2].map((k) => `${file}#${k}`));
    for (const [k, level] of [3, 40, 90].entries()) expect((await decodeImage(`${file}#${k}`)).data[0]).toBe(level);
    await expectError(decodeImage(file), { code: 'E_FRAME_AMBIGUOUS', what: 'it holds 3 pages' });
  });
});

describe('a TIFF that is not what it says', () => {
  const plain: TiffParts = { ...SIZE, kind: 'int16', values: [1, 2, 3, 4, 5, 6] };
  it.each([
    [
      'colours of 64 bits',
      tiff({ ...plain, kind: 'int64', tags: { 277: 3 } }),
      /64 bits in several channels, which are not read/,
    ],
    ['a size larger than any file', tiff({ ...plain, tags: { 256: 2 ** 31 } }), /it is 2147483648x2 pixels/],
    ['a size of zero', tiff({ ...plain, tags: { 256: 0 } }), /its header says 0x2 pixels/],
    [
      'tiles larger than any file',
      tiff({ ...plain, tags: { 322: 2 ** 20, 323: 2 ** 20, 324: 8 } }),
      /in blocks of 1099511627776/,
    ],
    ['a directory loop', loop(tiff(plain)), /its TIFF directory is damaged/],
    ['more entries than bytes', entries(tiff(plain)), /its TIFF directory is damaged/],
    ['truncated values', tiff(plain).subarray(0, -4), /its pixels cannot be read/],
    ['truncated compressed values', tiff({ ...plain, packed: 'packbits' }).subarray(0, -3), /its pixels cannot be read/],
    ['an unsupported compression', tiff({ ...plain, tags: { 259: 50000 } }), /its compression 50000 is not read/],
    ['pixels of ten thousand samples', tiff({ ...plain, tags: { 277: 10_000 } }), /its pixels have 10000 numbers/],
  ])('is refused: %s', async (_name, bytes, message) => {
    await expect(decodeImage(bytes)).rejects.toThrow(message);
    await expect(decodeImage(bytes)).rejects.toThrow(DataError);
    await expect(openImages(bytes, LIMITS).then((set) => set.image())).rejects.toThrow(DataError);
  });

  it('unpacks no more than its size says', async () => {
    const bomb = deflateSync(Buffer.alloc(50_000_000));
    const small = tiff({ ...plain, packed: 'deflate' });
    const before = process.memoryUsage().arrayBuffers;
    // The strip is the last thing in the file.
    const file = Buffer.concat([small.subarray(0, small.length - deflateSync(Buffer.alloc(12)).length), bomb]);
    const length = file.indexOf(Buffer.from([23, 1]), 8);
    file.writeUInt32LE(bomb.length, length + 8);
    await expectError(decodeImage(file), { code: 'E_IMAGE_DAMAGED', class: DataError, where: 'image' });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
  });
});

/** Says of a file of unsigned numbers that they are signed. */
function asSigned(bytes: Buffer): Buffer {
  const out = Buffer.from(bytes);
  const start = out.readUInt32LE(4);
  for (let i = 0; i < out.readUInt16LE(start); i++) {
    const at = start + 2 + 12 * i;
    if (out.readUInt16LE(at) === 339) out.writeUInt16LE(2, at + 8);
  }
  return out;
}

function loop(bytes: Buffer): Buffer {
  const out = Buffer.from(bytes);
  out.writeUInt32LE(8, 8 + 2 + 12 * out.readUInt16LE(8));
  return out;
}

function entries(bytes: Buffer): Buffer {
  const out = Buffer.from(bytes);
  out.writeUInt16LE(65535, 8);
  return out;
}
