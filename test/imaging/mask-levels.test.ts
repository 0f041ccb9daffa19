import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { type BinaryMask, decodeGreyMask, decodeMask, fitMask } from '../../src/imaging/index.js';
import { DataError } from '../../src/util/index.js';
import { expectError } from '../support/expect-error.js';
import { nifti } from '../support/nifti.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tiff, tiffOfPages } from '../support/tiff.js';

const dir = temporaryFolder('levels');

const SIDE = 40;
const PIXELS = SIDE * SIDE;
const inBox = (i: number, [x0, y0, x1, y1]: readonly number[]) => {
  const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
  return x >= (x0 as number) && x < (x1 as number) && y >= (y0 as number) && y < (y1 as number);
};
const BOX = [8, 10, 20, 24];
const OTHER = [28, 10, 36, 24];
/** A level for each pixel: one in the box, one in the other box, one elsewhere. */
const drawn = (box: number, other: number, outside = 0) =>
  Array.from({ length: PIXELS }, (_, i) => (inBox(i, BOX) ? box : inBox(i, OTHER) ? other : outside));
const expected = (...boxes: readonly (readonly number[])[]) =>
  Array.from({ length: PIXELS }, (_, i) => Number(boxes.some((box) => inBox(i, box))));

const raw = (values: readonly number[], channels: 1 | 2 | 3 | 4 = 1) =>
  sharp(Uint8Array.from(values), { raw: { width: SIDE, height: SIDE, channels } });
const png = (values: readonly number[]) => raw(values).toColourspace('b-w').png().toBuffer();
const deepPng = (values: readonly number[]) =>
  sharp(Uint16Array.from(values), { raw: { width: SIDE, height: SIDE, channels: 1 } })
    .toColourspace('grey16')
    .png()
    .toBuffer();
const jpeg = (values: readonly number[], quality = 90) => raw(values).toColourspace('b-w').jpeg({ quality }).toBuffer();
const coloured = (inside: readonly number[], outside: readonly number[]) =>
  raw(
    drawn(1, 0).flatMap((in_) => [...(in_ === 1 ? inside : outside)]),
    inside.length as 3 | 4,
  )
    .png()
    .toBuffer();
const tif = (kind: 'int16' | 'int32' | 'uint32' | 'float32' | 'float64', values: readonly number[]) =>
  tiff({ kind, width: SIDE, height: SIDE, values });
const bits = ({ data }: BinaryMask) => [...data];
/** Round and faint, beside the box. */
const bump = (i: number) => Math.round(100 * Math.exp(-(((i % SIDE) - 31) ** 2 + (i / SIDE - 17) ** 2) / 9));
/** The share of pixels that are as expected. */
const right = ({ data }: BinaryMask, want: readonly number[]) =>
  want.reduce((sum, value, i) => sum + Number(value === data[i]), 0) / PIXELS;

describe('a mask of one level', () => {
  it.each([1, 2, 15, 16, 38, 75, 100, 127, 128, 200, 254, 255])('is not background at %d', async (level) => {
    expect(bits(await decodeMask(await png(drawn(level, 0))))).toEqual(expected(BOX));
  });

  it.each([1, 2, 255, 256, 257, 1000, 4095, 4096, 32767, 32768, 65535])('is so at 16 bits and %d', async (level) => {
    expect(bits(await decodeMask(await deepPng(drawn(level, 0))))).toEqual(expected(BOX));
  });

  it.each([
    ['int16', 1],
    ['int16', 255],
    ['int16', -1],
    ['int32', 70_000],
    ['uint32', 4_000_000_000],
    ['float32', 1],
    ['float32', 0.25],
    ['float64', 1],
    ['float64', 1e-9],
  ] as const)('is so in a TIFF of %s and %d', async (kind, level) => {
    expect(bits(await decodeMask(tif(kind, drawn(level, 0))))).toEqual(expected(BOX));
  });

  it.each([
    ['red', [255, 0, 0], [0, 0, 0]],
    ['green', [0, 255, 0], [0, 0, 0]],
    ['blue', [0, 0, 255], [0, 0, 0]],
    ['dark green, as label editors draw', [0, 128, 0], [0, 0, 0]],
    ['dark blue', [0, 0, 64], [0, 0, 0]],
    ['transparency over one colour', [0, 0, 0, 255], [0, 0, 0, 0]],
    ['half transparency over one colour', [255, 255, 255, 90], [255, 255, 255, 0]],
    ['a colour over transparent white', [255, 0, 0, 255], [255, 255, 255, 0]],
    ['a colour whose transparency says nothing', [0, 200, 0, 0], [0, 0, 0, 0]],
  ])('is seen when drawn in %s', async (_name, inside, outside) => {
    expect(bits(await decodeMask(await coloured(inside, outside)))).toEqual(expected(BOX));
  });

  it('is seen as transparency over grey', async () => {
    const veiled = await raw(
      drawn(200, 0).flatMap((alpha) => [0, alpha]),
      2,
    )
      .toColourspace('b-w')
      .png()
      .toBuffer();
    expect(bits(await decodeMask(veiled))).toEqual(expected(BOX));
  });

  it.each([
    ['stored as 1 and shown black', 255, 0],
    ['shown white', 0, 255],
  ])('is seen in a TIFF whose 0 is white: %s', async (_name, inside, outside) => {
    const stored = await raw(drawn(inside, outside, outside))
      .toColourspace('b-w')
      .tiff({ compression: 'none' })
      .toBuffer();
    expect(bits(await decodeMask(whiteFirst(stored)))).toEqual(expected(BOX));
  });

  it('treats NaN as empty', async () => {
    const values = drawn(1, 0).map((level) => (level === 0 ? Number.NaN : level));
    expect(bits(await decodeMask(tif('float32', values)))).toEqual(expected(BOX));
  });

  it('may be the whole mask, or none of it', async () => {
    expect(bits(await decodeMask(await png(Array(PIXELS).fill(255))))).toEqual(Array(PIXELS).fill(1));
    expect(bits(await decodeMask(await png(Array(PIXELS).fill(0))))).toEqual(Array(PIXELS).fill(0));
  });
});

describe('a mask of several levels', () => {
  it.each([
    [1, 2],
    [1, 15],
    [3, 200],
    [100, 255],
    [127, 255],
    [38, 75],
  ])('shows all of its classes: %d and %d', async (a, b) => {
    expect(bits(await decodeMask(await png(drawn(a, b))))).toEqual(expected(BOX, OTHER));
    expect(bits(await decodeMask(await deepPng(drawn(a * 256, b * 256))))).toEqual(expected(BOX, OTHER));
  });

  it.each([40, 100, 200, 255])('with soft edges is cut at half of its maximum, %d', async (top) => {
    const soft = await raw(drawn(top, 0)).toColourspace('b-w').blur(1.2).png().toBuffer();
    expect(right(await decodeMask(soft), expected(BOX))).toBeGreaterThan(0.995);
    expect(bits(await decodeMask(soft)).filter(Boolean).length).toBeGreaterThan(0.95 * 12 * 14);
  });

  it('with soft edges of floats is cut at half of its own top', async () => {
    const { data } = await raw(drawn(255, 0)).toColourspace('b-w').blur(1.2).raw().toBuffer({ resolveWithObject: true });
    const floats = [...data].map((level) => (level / 255) * 0.7);
    expect(right(await decodeMask(tif('float32', floats)), expected(BOX))).toBeGreaterThan(0.995);
  });

  it.each([
    [255, 30],
    [255, 95],
    [100, 75],
    [40, 90],
  ])('with JPEG ringing is cut at half of its maximum: %d at quality %d', async (level, quality) => {
    expect(right(await decodeMask(await jpeg(drawn(level, 0), quality)), expected(BOX))).toBeGreaterThan(0.98);
  });

  it('is decided for all pages of a file, not page by page', async () => {
    const file = join(dir, 'pages.tif');
    const ramp = Array.from({ length: PIXELS }, (_, i) =>
      inBox(i, BOX) ? 1 : inBox(i, [7, 9, 21, 25]) ? 0.3 + (i % 40) / 1000 : 0,
    );
    const faint = ramp.map((level, i) => (level === 1 ? 0.3 + (i % 37) / 1000 : level));
    const page = (values: readonly number[]) => ({ kind: 'float32' as const, width: SIDE, height: SIDE, values });
    await writeFile(file, tiffOfPages([page(ramp), page(faint), page(Array(PIXELS).fill(0))]));
    expect(bits(await decodeMask(`${file}#0`))).toEqual(expected(BOX));
    expect(bits(await decodeMask(`${file}#2`))).toEqual(expected());
    // Not an object by its own top, and no image without one.
    await expectError(decodeMask(`${file}#1`), {
      code: 'E_MASK_VALUE',
      where: 'pages.tif#1',
      what: 'the mask is not blank, but its highest level, 0.3',
    });
  });
});

describe('a mask of unclear levels is refused with the levels found', () => {
  it.each([
    ['no background', () => png(drawn(200, 200, 100)), /the mask has no background 0: levels 100, 200/],
    ['classes from 1, background included', () => png(drawn(2, 3, 1)), /the mask has no background 0: levels 1, 2, 3/],
    ['other colours outside', () => coloured([255, 0, 0], [0, 0, 255]), /the background of the mask is not black.*level 255/],
    ['JPEG noise', () => jpeg(drawn(5, 0)), /no higher than what its lossy compression leaves/],
    ['two classes in a JPEG', () => jpeg(drawn(110, 255), 95), /areas between dark and bright: levels from 0 to 255/],
    [
      'a faint object beside a bright one, both with soft edges',
      () => png(drawn(255, 0).map((level, i) => level || bump(i))),
      /something that is less than half as bright as the rest/,
    ],
    ['negative classes', async () => tif('int16', drawn(-1, 1)), /negative levels beside others: levels -1, 0, 1/],
    ['negative everywhere', async () => tif('int16', Array(PIXELS).fill(-1)), /negative everywhere: level -1/],
    ['infinity', async () => tif('float32', drawn(Number.POSITIVE_INFINITY, 0)), /infinite numbers/],
    [
      'an image',
      () => png(Array.from({ length: PIXELS }, (_, i) => 20 + ((i * 7919) % 100) + (i === 5 ? 135 : 0))),
      /it looks like an image, not like a mask: levels from 20 to/,
    ],
  ])('%s', async (_name, make, message) => {
    const file = join(dir, 'unclear.png');
    await writeFile(file, await make());
    await expectError(decodeMask(file), { code: 'E_MASK_VALUE', class: DataError, where: /unclear\.png/, what: message });
  });
});

describe('labels in a volume', () => {
  /** Two planes: nothing, and the box. */
  const volume = async (
    name: string,
    level: number,
    parts: Omit<Parameters<typeof nifti>[0], 'dims' | 'values'>,
    outside = 0,
  ) => {
    const file = join(dir, name);
    const values = [...Array(PIXELS).fill(outside), ...drawn(level, outside, outside)];
    await writeFile(file, nifti({ dims: [SIDE, SIDE, 2], values, ...parts }));
    return file;
  };

  it.each([
    [1, 2],
    [16, 2],
    [127, 2],
    [255, 2],
    [16, 4],
    [-1, 4],
    [256, 4],
    [257, 4],
    [300, 8],
    [0.9999, 16],
    [5, 64],
  ] as const)('are not the background at %d, kept as kind %d', async (level, datatype) => {
    const file = await volume('labels.nii', level, { datatype });
    expect(bits(await decodeMask(`${file}#0`))).toEqual(expected());
    expect(bits(await decodeMask(`${file}#1`))).toEqual(expected(BOX));
  });

  it('are so with a slope', async () => {
    const file = await volume('slope.nii', 255, { slope: 1 / 255 });
    expect(bits(await decodeMask(`${file}#1`))).toEqual(expected(BOX));
  });

  it('are nothing where they are no numbers', async () => {
    const file = await volume('nan.nii', 1, { datatype: 16 }, Number.NaN);
    expect(bits(await decodeMask(`${file}#0`))).toEqual(expected());
    expect(bits(await decodeMask(`${file}#1`))).toEqual(expected(BOX));
  });
});

describe('a mask on its image’s grid', () => {
  it('is refused, not empty, where what it shows is too small for it', async () => {
    const one = Array.from({ length: PIXELS }, (_, i) => (i === 45 ? 255 : 0));
    const grey = await decodeGreyMask(await png(one));
    expectError(() => fitMask(grey, { width: 4, height: 4 }, 'dot.png'), {
      code: 'E_MASK_SIZE',
      where: 'dot.png',
      what: "the mask shows something in 40x40 pixels and nothing in the image's 4x4",
    });
    const blank = await decodeGreyMask(await png(Array(PIXELS).fill(0)));
    expect(fitMask(blank, { width: 4, height: 4 }, 'blank.png').data).toEqual(new Uint8Array(16));
  });
});

/** Says of a TIFF that its 0 is white. */
function whiteFirst(bytes: Buffer): Buffer {
  const out = Buffer.from(bytes);
  const start = out.readUInt32LE(4);
  for (let i = 0; i < out.readUInt16LE(start); i++) {
    const at = start + 2 + 12 * i;
    if (out.readUInt16LE(at) === 262) out.writeUInt16LE(0, at + 8);
  }
  return out;
}
