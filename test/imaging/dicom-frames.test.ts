import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { DicomFile } from '../../src/imaging/index.js';
import { codecFrame } from '../support/codec-frame.js';
import { SYNTAX } from '../support/dicom.js';
import { ascii, type Described, description, element, packedPixels, part10, u16, u64 } from '../support/dicom-bytes.js';
import { expectError } from '../support/expect-error.js';
import { losslessJpeg } from '../support/lossless-jpeg.js';
import { rleFrame } from '../support/rle-frame.js';

const [W, H] = [6, 4];
const size = { width: W, height: H };
const BIG_ENDIAN = '1.2.840.10008.1.2.2';
const LOSSLESS = '1.2.840.10008.1.2.4.70';
const PIXELS = 0x7fe00010;

const greyOf = (levels: Iterable<number>) => [...levels].flatMap((v) => [v, v, v]);
const levels = (seed: number) => Uint8Array.from({ length: W * H }, (_, i) => (i * 11 + seed * 37) % 256);
const FRAMES = [1, 2, 3].map(levels);

const native = (of: Described, pixels: Uint8Array, syntax: string = SYNTAX.explicit) =>
  part10(syntax, [description(of), element(PIXELS, 'OW', pixels)]);
const packed = (of: Described, pixels: Buffer, syntax: string = SYNTAX.rle, ...more: readonly Buffer[]) =>
  part10(syntax, [description(of), ...more, pixels]);
const parse = (bytes: Uint8Array) => DicomFile.parse(bytes, 'x.dcm');
const first = async (bytes: Uint8Array) => [...(await (await parse(bytes)).image(0)).data];
async function all(bytes: Uint8Array): Promise<number[][]> {
  const film = await parse(bytes);
  const images: number[][] = [];
  for (let k = 0; k < film.header.frames; k++) images.push([...(await film.image(k)).data]);
  return images;
}

/** What JFIF's formulas give. */
const rgbOf = ([y, cb, cr]: readonly [number, number, number]) =>
  [y + 1.402 * (cr - 128), y - 0.344136 * (cb - 128) - 0.714136 * (cr - 128), y + 1.772 * (cb - 128)].map((v) =>
    Math.round(Math.min(255, Math.max(0, v))),
  );

describe('YBR_FULL_422, uncompressed', () => {
  const y = (i: number) => 40 + 9 * i;
  const label = { samples: 3, photometric: 'YBR_FULL_422' } as const;

  it('with three bytes a pixel has full colours', async () => {
    const full = Array.from({ length: W * H }, (_, i) => [y(i), 100 + i, 150 - i] as const);
    const expected = full.flatMap(rgbOf);
    expect(await first(native({ ...size, ...label }, Uint8Array.from(full.flat())))).toEqual(expected);
    const planes = [0, 1, 2].flatMap((c) => full.map((pixel) => pixel[c] as number));
    expect(await first(native({ ...size, ...label, planar: true }, Uint8Array.from(planes)))).toEqual(expected);
    expect(await all(native({ ...size, ...label, frames: 2 }, Uint8Array.from([...full, ...full].flat())))).toEqual([
      expected,
      expected,
    ]);
  });

  /** Colour differences of each pair of neighbours. */
  const pair = (k: number) => [100 + k, 160 - k] as const;

  it.each([6, 5])('with two bytes a pixel is split line by line, %d pixels wide', async (width) => {
    const pairs = Math.ceil(width / 2);
    const bytes: number[] = [];
    const expected: number[] = [];
    for (let line = 0; line < 3; line++)
      for (let k = 0; k < pairs; k++) {
        const [a, b] = [line * width + 2 * k, line * width + 2 * k + 1];
        const colours = pair(line * pairs + k);
        // A line of odd width ends with a pixel that is not shown.
        bytes.push(y(a), y(b), ...colours);
        expected.push(...rgbOf([y(a), ...colours]), ...(2 * k + 1 < width ? rgbOf([y(b), ...colours]) : []));
      }
    expect(await first(native({ width, height: 3, ...label }, Uint8Array.from(bytes)))).toEqual(expected);
  });

  it('of odd width may run on over the ends of lines', async () => {
    const bytes = Array.from({ length: 10 }, (_, k) => [y(2 * k), y(2 * k + 1), ...pair(k)]).flat();
    const expected = Array.from({ length: 20 }, (_, i) => rgbOf([y(i), ...pair(i >> 1)])).flat();
    expect(await first(native({ width: 5, height: 4, ...label }, Uint8Array.from(bytes)))).toEqual(expected);
  });

  it('is refused where its bytes fit neither', async () => {
    await expectError(parse(native({ ...size, ...label }, new Uint8Array(60))), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
      what: 'it has 60 bytes of pixels for 1 frame of 48 or 72',
      fix: 'NumberOfFrames (0028,0008)',
    });
  });
});

describe('the number of bytes', () => {
  const three = Buffer.concat(FRAMES);

  it('of further images is not passed over', async () => {
    await expectError(parse(native(size, three)), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
      what: 'it has 72 bytes of pixels for 1 frame of 24',
    });
    await expectError(parse(native({ ...size, frames: 2 }, three)), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
      what: '72 bytes of pixels for 2 frames of 24',
    });
    await expectError(parse(native({ ...size, frames: 4 }, three)), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
      what: '72 bytes of pixels for 4 frames of 24',
    });
    await expectError(parse(native({ ...size, frames: 2e9 }, three)), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
      what: 'for 2000000000 frames',
    });
    expect(await all(native({ ...size, frames: 3 }, three))).toEqual(FRAMES.map(greyOf));
  });

  it('may be more by padding, and by nothing else', async () => {
    expect(await first(native(size, Buffer.concat([FRAMES[0] as Uint8Array, Buffer.alloc(8)])))).toEqual(
      greyOf(FRAMES[0] as Uint8Array),
    );
    await expectError(parse(native(size, Buffer.concat([FRAMES[0] as Uint8Array, Buffer.alloc(8, 7)]))), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
      what: 'it has 32 bytes',
    });
  });

  it('is compared with the remaining size of the file', async () => {
    const cut = native({ ...size, frames: 3 }, three).subarray(0, -10);
    await expectError(parse(cut), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
      what: 'it is damaged or cut off: it says 72 bytes of pixels and has 62',
    });
  });
});

describe('packed frames', () => {
  const frames = FRAMES.map((frame) => Buffer.from(rleFrame([frame])));
  const film = { ...size, frames: 3 };
  const expected = FRAMES.map(greyOf);
  const jpegs = FRAMES.map((frame) => losslessJpeg(frame, { ...size, precision: 8, predictor: 1 }));
  /** Each in two pieces, the first of which is of an odd number of bytes. */
  const halves = jpegs.flatMap((jpeg) => [jpeg.subarray(0, 33), jpeg.subarray(33)]);
  const offsets = (pieces: readonly Uint8Array[], every = 1) => {
    const places: number[] = [];
    let at = 0;
    for (const [i, { length }] of pieces.entries()) {
      if (i % every === 0) places.push(at);
      at += 8 + length;
    }
    return places;
  };

  it('are found with a table and without, in one piece and in several', async () => {
    expect(await all(packed(film, packedPixels(frames)))).toEqual(expected);
    expect(await all(packed(film, packedPixels(frames, offsets(frames))))).toEqual(expected);
    expect(await all(packed(film, packedPixels(halves, offsets(halves, 2)), LOSSLESS))).toEqual(expected);
    expect(await all(packed(film, packedPixels(halves), LOSSLESS))).toEqual(expected);
    expect(await all(packed(size, packedPixels(halves.slice(0, 2)), LOSSLESS))).toEqual(expected.slice(0, 1));
  });

  it('are found by the Extended Offset Table', async () => {
    const table = [
      element(0x7fe00001, 'OV', u64(...offsets(halves, 2))),
      element(0x7fe00002, 'OV', u64(...jpegs.map(({ length }) => length))),
    ];
    expect(await all(packed(film, packedPixels(halves), LOSSLESS, ...table))).toEqual(expected);
  });

  it('of JPEG 2000 and JPEG-LS are found by their beginnings', async () => {
    for (const [kind, syntax] of [
      ['jpeg-2000', SYNTAX.jpeg2000],
      ['jpeg-ls', SYNTAX.jpegLs],
    ] as const) {
      const pieces: Uint8Array[] = [];
      for (const frame of FRAMES) {
        const whole = await codecFrame(kind, frame, size);
        pieces.push(whole.subarray(0, 21), whole.subarray(21));
      }
      expect(await all(packed(film, packedPixels(pieces), syntax))).toEqual(expected);
    }
  });

  it('may have empty pieces between them, but not in place of one', async () => {
    const [a, b, c] = frames as [Buffer, Buffer, Buffer];
    expect(await all(packed(film, packedPixels([a, Buffer.alloc(0), b, c])))).toEqual(expected);
    await expectError(all(packed(film, packedPixels([a, Buffer.alloc(0), c]))), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
      what: 'frame 1 is empty',
    });
  });

  it('are refused where there are more or fewer than the header says', async () => {
    await expectError(parse(packed(size, packedPixels(frames))), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
      what: 'it has 3 packed frames for 1 frame',
    });
    await expectError(parse(packed(size, packedPixels(jpegs), LOSSLESS)), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
      what: '3 packed frames for 1 frame',
    });
    await expectError(parse(packed({ ...size, frames: 2 }, packedPixels(frames, offsets(frames)))), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
      what: '3 entries in its offset table for 2 frames',
    });
    await expectError(parse(packed({ ...size, frames: 4 }, packedPixels(frames))), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
      what: '3 packed pieces for 4 frames',
    });
  });

  it('are refused where the last is cut off', async () => {
    const whole = packed(film, packedPixels(frames));
    await expectError(parse(whole.subarray(0, -20)), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
      what: 'its packed pixels end early',
    });
  });

  it('are refused where the transfer syntax is of the other kind', async () => {
    await expectError(parse(packed(film, packedPixels(frames), SYNTAX.explicit)), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
      what: 'its pixels are packed, but its transfer syntax',
    });
    await expectError(parse(native(film, Buffer.concat(FRAMES), SYNTAX.rle)), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
      what: 'its packed pixels do not begin',
    });
  });
});

describe('elements of later kinds', () => {
  it('of 64 bits do not get in the way, in sequences neither', async () => {
    const inner = Buffer.concat([
      element(0x00081150, 'UI', ascii('1.2.3\0')),
      element(0x00720082, 'SV', u64(5)),
      element(0x00720083, 'UV', u64(6)),
    ]);
    const item = Buffer.concat([Buffer.from([0xfe, 0xff, 0, 0xe0, inner.length, 0, 0, 0]), inner]);
    const elements = [
      element(0x00081111, 'SQ', item),
      element(0x00189999, 'UV', u64(1, 2)),
      description(size),
      element(0x00720081, 'OV', u64(9, 9, 9)),
      element(PIXELS, 'OB', FRAMES[0] as Uint8Array),
    ];
    expect(await first(part10(SYNTAX.explicit, elements))).toEqual(greyOf(FRAMES[0] as Uint8Array));
  });
});

describe('orders of bytes', () => {
  it('big-endian: words, and bytes written as words', async () => {
    const deep = Uint16Array.from({ length: W * H }, (_, i) => i * 178);
    const words = Buffer.from(deep.slice().buffer).swap16();
    const order = { bigEndian: true } as const;
    const file = (of: Described, vr: string, pixels: Uint8Array) =>
      part10(BIG_ENDIAN, [description({ ...of, ...order }), element(PIXELS, vr, pixels, order)]);
    expect(await first(file({ ...size, bits: 12 }, 'OW', words))).toEqual(
      await first(native({ ...size, bits: 12 }, new Uint8Array(deep.buffer))),
    );
    const grey = FRAMES[0] as Uint8Array;
    expect(await first(file(size, 'OW', Buffer.from(grey).swap16()))).toEqual(greyOf(grey));
    expect(await first(file(size, 'OB', grey))).toEqual(greyOf(grey));
  });

  it('implicit, whatever the file says of itself', async () => {
    const grey = FRAMES[0] as Uint8Array;
    const us = (tag: number, value: number) => element(tag, 'US', u16(value), { implicit: true });
    const elements = [
      element(0x00280004, 'CS', ascii('MONOCHROME2 '), { implicit: true }),
      ...[us(0x00280010, H), us(0x00280011, W), us(0x00280100, 8), us(0x00280101, 8), us(0x00280102, 7), us(0x00280103, 0)],
      element(PIXELS, 'OW', grey, { implicit: true }),
    ];
    for (const syntax of [SYNTAX.implicit, SYNTAX.explicit]) expect(await first(part10(syntax, elements))).toEqual(greyOf(grey));
    expect(await first(native(size, grey, SYNTAX.implicit))).toEqual(greyOf(grey));
  });
});

describe('deflated files', () => {
  it('are refused by name where they grow too large', async () => {
    const body = deflateRawSync(Buffer.concat([description(size), element(PIXELS, 'OB', FRAMES[0] as Uint8Array)]));
    const file = part10('1.2.840.10008.1.2.1.99', [body]);
    expect(await first(file)).toEqual(greyOf(FRAMES[0] as Uint8Array));
    const bomb = part10('1.2.840.10008.1.2.1.99', [deflateRawSync(Buffer.alloc(3e6))]);
    await expectError(DicomFile.parse(bomb, 'x.dcm', 2e6), {
      code: 'E_IMAGE_TOO_LARGE',
      where: 'x.dcm',
      what: 'it unpacks to more than 2 MB',
    });
  });
});

describe('numbers', () => {
  it('of 12 bits may stand in the upper bits of 16', async () => {
    const values = Uint16Array.from([0, 1, 2, 4095], (v) => (v << 4) | 9);
    const upper = { width: 4, height: 1, bits: 12, highBit: 15 };
    const plain = Uint16Array.from([0, 1, 2, 4095]);
    expect(await first(native(upper, new Uint8Array(values.buffer)))).toEqual(
      await first(native({ width: 4, height: 1, bits: 12 }, new Uint8Array(plain.buffer))),
    );
  });

  it('that stand for padding do not stretch the levels, and are black', async () => {
    const values = Int16Array.from([-2000, -100, 0, 100, -2000]);
    const file = (extra: readonly Buffer[]) =>
      part10(SYNTAX.explicit, [
        description({ width: 5, height: 1, bits: 16, signed: true }),
        ...extra,
        element(PIXELS, 'OW', new Uint8Array(values.buffer)),
      ]);
    const padding = element(0x00280120, 'SS', Buffer.from(Int16Array.of(-2000).buffer));
    expect(await first(file([padding]))).toEqual(greyOf([0, 0, 128, 255, 0]));
    expect(await first(file([]))).toEqual(greyOf([0, 231, 243, 255, 0]));
  });

  it('of a packed image count as many bits as it says, not its file', async () => {
    const deep = Uint16Array.from({ length: W * H }, (_, i) => i * 2700);
    const frame = await codecFrame('jpeg-ls', new Uint8Array(deep.buffer), { ...size, bits: 16 });
    const file = packed({ ...size, bits: 12 }, packedPixels([frame]), SYNTAX.jpegLs);
    expect(await first(file)).toEqual(await first(native({ ...size, bits: 16 }, new Uint8Array(deep.buffer))));
  });
});

describe('lossless JPEG', () => {
  const rgb = Uint8Array.from({ length: W * H * 3 }, (_, i) => (i * 71) % 256);
  const colour = { ...size, samples: 3, photometric: 'RGB' } as const;
  const decoded = (jpeg: Buffer) => first(packed(colour, packedPixels([jpeg]), LOSSLESS));

  it.each([1, 2, 3, 4, 5, 6, 7])('of three components is exact, predictor %d', async (predictor) => {
    const of = { ...size, precision: 8, predictor, ids: [1, 2, 3] };
    expect(await decoded(losslessJpeg(rgb, of))).toEqual([...rgb]);
    expect(await decoded(losslessJpeg(rgb, { ...of, restart: W }))).toEqual([...rgb]);
    expect(await decoded(losslessJpeg(rgb, { ...of, apart: true }))).toEqual([...rgb]);
  });

  it('may drop bits by a point transform', async () => {
    const of = { ...size, precision: 8, predictor: 4, ids: [1, 2, 3], shift: 2 };
    expect(await decoded(losslessJpeg(rgb, of))).toEqual([...rgb].map((v) => v & ~3));
  });

  it('that is cut off is never taken for a whole one', async () => {
    const whole = losslessJpeg(rgb, { ...size, precision: 8, predictor: 1, ids: [1, 2, 3] });
    for (const left of [whole.length - 12, whole.length - 4, 60])
      await expectError(decoded(whole.subarray(0, left)), {
        code: 'E_IMAGE_DAMAGED',
        where: 'x.dcm',
        what: 'a packed image in it cannot be decoded',
      });
  });
});
