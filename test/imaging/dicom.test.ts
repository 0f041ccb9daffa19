import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { DicomFile, decodeImage, listImages } from '../../src/imaging/index.js';
import { DataError } from '../../src/util/index.js';
import { codecFrame } from '../support/codec-frame.js';
import { type DicomParts, dicom, SYNTAX } from '../support/dicom.js';
import { element, part10 } from '../support/dicom-bytes.js';
import { expectError } from '../support/expect-error.js';
import { losslessJpeg } from '../support/lossless-jpeg.js';
import { rleFrame } from '../support/rle-frame.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('dicom');

async function write(name: string, content: Buffer): Promise<string> {
  const file = join(dir, name);
  await writeFile(file, content);
  return file;
}
const read = async (parts: DicomParts, frame = 0) => (await DicomFile.parse(dicom(parts), 'x.dcm')).image(frame);

const [W, H] = [6, 4];
const GREY = Uint8Array.from({ length: W * H }, (_, i) => (i * 11) % 256);
const RGB = Uint8Array.from({ length: W * H * 3 }, (_, i) => (i * 7) % 256);
const DEEP = Uint16Array.from({ length: W * H }, (_, i) => i * 178);
/** Steps of every size, the largest among them. */
const WIDE = Uint16Array.from({ length: W * H }, (_, i) => [0, 65535, 32768, 3, 40000, 39990, 7, 32775][i % 8] as number);
const bytesOf = (values: Uint16Array | Int16Array) => new Uint8Array(values.buffer);
const planes = (rgb: Uint8Array) => Uint8Array.from(rgb, (_, i) => rgb[(i % (W * H)) * 3 + Math.floor(i / (W * H))] as number);
const greyOf = (levels: Iterable<number>) => [...levels].flatMap((v) => [v, v, v]);
const text = (vr: string, ...Value: unknown[]) => ({ vr, Value });
const size = { width: W, height: H };

describe('uncompressed DICOM', () => {
  it('reads grey and colour, samples together and in planes, explicit and implicit', async () => {
    for (const syntax of [SYNTAX.explicit, SYNTAX.implicit]) {
      expect(await read({ ...size, frames: [GREY], syntax })).toEqual({ ...size, data: Uint8Array.from(greyOf(GREY)) });
      expect((await read({ ...size, frames: [RGB], samples: 3, photometric: 'RGB', syntax })).data).toEqual(RGB);
      const inPlanes = { ...size, frames: [planes(RGB)], samples: 3, photometric: 'RGB', planar: true, syntax } as const;
      expect((await read(inPlanes)).data).toEqual(RGB);
    }
  });

  it('reads every frame of a clip, of an odd number of bytes too', async () => {
    const frames = [1, 2, 3].map((n) => Uint8Array.from({ length: 15 }, (_, i) => n * 20 + i));
    const film = await DicomFile.parse(dicom({ width: 5, height: 3, frames }), 'film.dcm');
    expect(film.header.frames).toBe(3);
    for (const [k, frame] of frames.entries()) expect([...(await film.image(k)).data]).toEqual(greyOf(frame));
    await expectError(film.image(3), {
      code: 'E_FRAME_NOT_FOUND',
      where: 'film.dcm',
      what: 'there is no frame 3',
      fix: 'They are numbered 0 to 2',
    });
  });

  it('reads files without the preamble', async () => {
    const bytes = dicom({ ...size, frames: [GREY] });
    const start = bytes.indexOf(Buffer.from([0x08, 0, 0x16, 0, 0x55, 0x49]));
    const film = await DicomFile.parse(bytes.subarray(start), 'old.dcm');
    expect([...(await film.image(0)).data]).toEqual(greyOf(GREY));
  });

  it('reads deflated files', async () => {
    const bytes = dicom({ ...size, frames: [GREY], syntax: SYNTAX.explicit });
    const start = bytes.indexOf(Buffer.from([0x08, 0, 0x16, 0, 0x55, 0x49]));
    // The UID with ".99" takes the place of padding, so the header is written by the library itself.
    const headed = dicom({ ...size, frames: [GREY], syntax: '1.2.840.10008.1.2.1.99' });
    const head = headed.subarray(0, headed.indexOf(Buffer.from([0x08, 0, 0x16, 0, 0x55, 0x49])));
    const film = await DicomFile.parse(Buffer.concat([head, deflateRawSync(bytes.subarray(start))]), 'deflated.dcm');
    expect([...(await film.image(0)).data]).toEqual(greyOf(GREY));
  });
});

describe('grey levels', () => {
  it('are inverted for MONOCHROME1', async () => {
    expect([...(await read({ ...size, frames: [GREY], photometric: 'MONOCHROME1' })).data]).toEqual(
      greyOf(GREY.map((v) => 255 - v)),
    );
  });

  it.each(['LINEAR', 'LINEAR_EXACT', 'SIGMOID'])('are mapped through the window, %s', async (shape) => {
    const [c, w] = [2000, 1000];
    const of = (x: number) => {
      if (shape === 'SIGMOID') return 1 / (1 + Math.exp((-4 * (x - c)) / w));
      return shape === 'LINEAR' ? (x - (c - 0.5)) / (w - 1) + 0.5 : (x - c) / w + 0.5;
    };
    const more = {
      '00281050': text('DS', String(c), '1'),
      '00281051': text('DS', String(w), '1'),
      '00281056': text('CS', shape),
      '00281052': text('DS', '-24'),
      '00281053': text('DS', '2'),
    };
    const image = await read({ ...size, frames: [bytesOf(DEEP)], bits: 12, more });
    const expected = Array.from(DEEP, (x) => Math.round(255 * Math.min(1, Math.max(0, of(2 * x - 24)))));
    expect([...image.data]).toEqual(greyOf(expected));
    expect(new Set(expected).size).toBeGreaterThan(3);
  });

  it('reach from the smallest to the largest where a deep image has no window', async () => {
    const { data } = await read({ ...size, frames: [bytesOf(DEEP)], bits: 12 });
    const [first, last] = [data[0], data.at(-1)];
    expect([first, last]).toEqual([0, 255]);
    expect(data[36]).toBe(Math.round((255 * 12) / 23));
  });

  it('have a sign, and only the stored bits count', async () => {
    const signed = Int16Array.from([-4, -2, 0, 4]);
    const { data } = await read({ width: 4, height: 1, frames: [bytesOf(signed)], bits: 16, signed: true });
    expect([...data]).toEqual(greyOf([0, 64, 128, 255]));
    const dirty = Uint16Array.from([0xf000, 0xf00f, 0x1000 + 5, 10]);
    const clean = await read({ width: 4, height: 1, frames: [bytesOf(dirty)], bits: 12 });
    expect([...clean.data]).toEqual(greyOf([0, 255, 85, 170]));
  });
});

describe('colours', () => {
  /** What JFIF's formulas give. */
  const rgbOf = ([y, cb, cr]: readonly [number, number, number]) =>
    [y + 1.402 * (cr - 128), y - 0.344136 * (cb - 128) - 0.714136 * (cr - 128), y + 1.772 * (cb - 128)].map((v) =>
      Math.round(Math.min(255, Math.max(0, v))),
    );
  const [a, b] = [
    [76, 85, 255],
    [150, 44, 21],
  ] as const;

  it('come from YBR_FULL and from YBR_FULL_422', async () => {
    const full = await read({
      width: 2,
      height: 1,
      frames: [Uint8Array.from([...a, ...b])],
      samples: 3,
      photometric: 'YBR_FULL',
    });
    expect([...full.data]).toEqual([...rgbOf(a), ...rgbOf(b)]);
    const shared = await read({
      width: 2,
      height: 2,
      frames: [Uint8Array.from([76, 150, 85, 255, 10, 20, 44, 21])],
      samples: 3,
      photometric: 'YBR_FULL_422',
    });
    expect([...shared.data]).toEqual(
      [[76, 85, 255] as const, [150, 85, 255] as const, [10, 44, 21] as const, [20, 44, 21] as const].flatMap(rgbOf),
    );
  });

  const descriptor = (bits: number) => text('US', 3, 1, bits);
  it.each([8, 16])('come from a palette of %d bits, clamped beyond its ends', async (bits) => {
    const lut = (...levels: number[]) => {
      const words = Uint16Array.from(levels, (v) => (bits === 16 ? v * 257 : v));
      return text('OW', bits === 16 ? words.buffer : Uint8Array.from([...levels, 0]).buffer);
    };
    const more = {
      '00281101': descriptor(bits),
      '00281102': descriptor(bits),
      '00281103': descriptor(bits),
      '00281201': lut(10, 20, 30),
      '00281202': lut(40, 50, 60),
      '00281203': lut(70, 80, 90),
    };
    const { data } = await read({
      width: 5,
      height: 1,
      frames: [Uint8Array.from([0, 1, 2, 3, 9])],
      photometric: 'PALETTE COLOR',
      more,
    });
    expect([...data]).toEqual([10, 40, 70, 10, 40, 70, 20, 50, 80, 30, 60, 90, 30, 60, 90]);
  });
});

describe('compressed DICOM', () => {
  it('reads run-length codes of 8 and 16 bits and colours', async () => {
    const film = await DicomFile.parse(
      dicom({ ...size, frames: [rleFrame([GREY]), rleFrame([GREY.map((v) => v >> 4)])], syntax: SYNTAX.rle }),
      'film.dcm',
    );
    expect([...(await film.image(0)).data]).toEqual(greyOf(GREY));
    expect([...(await film.image(1)).data]).toEqual(greyOf(GREY.map((v) => v >> 4)));
    const colour = [0, 1, 2].map((c) => planes(RGB).subarray(c * W * H, (c + 1) * W * H));
    expect(
      (await read({ ...size, frames: [rleFrame(colour)], samples: 3, photometric: 'RGB', syntax: SYNTAX.rle })).data,
    ).toEqual(RGB);
    const halves = [DEEP.map((v) => v >> 8), DEEP.map((v) => v & 255)].map((half) => Uint8Array.from(half));
    const deep = await read({ ...size, frames: [rleFrame(halves)], bits: 12, syntax: SYNTAX.rle });
    expect(deep).toEqual(await read({ ...size, frames: [bytesOf(DEEP)], bits: 12 }));
  });

  it('reads JPEG, grey, with colour differences, and RGB that is not marked as such', async () => {
    const image = sharp(Buffer.from(RGB), { raw: { ...size, channels: 3 } });
    const plain = await image.jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer();
    const decoded = new Uint8Array(await sharp(plain).raw().toBuffer());
    const colour = { ...size, frames: [plain], samples: 3, syntax: SYNTAX.jpeg } as const;
    expect((await read({ ...colour, photometric: 'YBR_FULL_422' })).data).toEqual(decoded);
    // The same three components, said to be red, green and blue by the file alone: what stands for colour differences stays.
    expect(plain.includes('JFIF') || plain.includes('Adobe')).toBe(false);
    const taken = (await read({ ...colour, photometric: 'RGB' })).data;
    expect(taken).not.toEqual(decoded);
    const back = await read({ ...size, frames: [taken], samples: 3, photometric: 'YBR_FULL' });
    expect(Math.max(...back.data.map((v, i) => Math.abs(v - (decoded[i] as number))))).toBeLessThanOrEqual(2);
    const grey = await sharp(Buffer.from(GREY), { raw: { ...size, channels: 1 } })
      .toColourspace('b-w')
      .jpeg({ quality: 100 })
      .toBuffer();
    const levels = (await read({ ...size, frames: [grey], syntax: SYNTAX.jpeg })).data;
    expect(Math.max(...levels.map((v, i) => Math.abs(v - (GREY[Math.floor(i / 3)] as number))))).toBeLessThanOrEqual(2);
  });

  it.each([
    ['jpeg-ls', SYNTAX.jpegLs],
    ['jpeg-2000', SYNTAX.jpeg2000],
  ] as const)('reads lossless %s of 8 and 12 bits and colours', async (codec, syntax) => {
    const packed = await codecFrame(codec, GREY, size);
    expect([...(await read({ ...size, frames: [packed], syntax })).data]).toEqual(greyOf(GREY));
    const deep = await read({
      ...size,
      frames: [await codecFrame(codec, bytesOf(DEEP), { ...size, bits: 12 })],
      bits: 12,
      syntax,
    });
    expect(deep).toEqual(await read({ ...size, frames: [bytesOf(DEEP)], bits: 12 }));
    const photometric = syntax === SYNTAX.jpeg2000 ? 'YBR_RCT' : 'RGB';
    const colour = await read({
      ...size,
      frames: [await codecFrame(codec, RGB, { ...size, components: 3 })],
      samples: 3,
      photometric,
      syntax,
    });
    expect(colour.data).toEqual(RGB);
    await expectError(read({ ...size, frames: [packed.subarray(0, 20)], syntax }), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
      what: 'a packed image in it cannot be decoded',
    });
    await expectError(read({ width: 7, height: H, frames: [packed], syntax }), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
      what: 'its packed image is 6x4 with 1 sample a pixel, its header says 7x4 with 1 sample',
    });
  });

  const deepJpeg = (predictor: number, restart = 0) => losslessJpeg(WIDE, { ...size, precision: 16, predictor, restart });
  const lossless = { ...size, bits: 16, syntax: '1.2.840.10008.1.2.4.70' } as const;
  it.each([1, 2, 3, 4, 5, 6, 7])('reads lossless JPEG of 16 bits, predictor %d', async (predictor) => {
    const plain = await read({ ...size, frames: [bytesOf(WIDE)], bits: 16 });
    expect(await read({ ...lossless, frames: [deepJpeg(predictor)] })).toEqual(plain);
    // Restarts after each line.
    expect(await read({ ...lossless, frames: [deepJpeg(predictor, W)] })).toEqual(plain);
  });

  it('refuses damaged lossless JPEG, and JPEG of 12 bits with losses', async () => {
    await expectError(read({ ...lossless, frames: [deepJpeg(1).subarray(0, 70)] }), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
      what: 'a packed image in it cannot be decoded',
    });
    const lossy = deepJpeg(1);
    lossy[lossy.indexOf(0xc3)] = 0xc1;
    lossy[lossy.indexOf(0xc1) + 3] = 12;
    await expectError(read({ ...lossless, frames: [lossy] }), {
      code: 'E_IMAGE_FORMAT',
      where: 'x.dcm',
      what: 'its JPEG has 12 bits a sample and losses, which is not read',
    });
  });

  it.each([
    ['1.2.840.10008.1.2.4.100', /its frames are packed as an MPEG stream/],
    ['1.2.840.10008.1.2.4.102.1', /packed as an MPEG stream/],
    ['1.2.840.10008.1.2.4.107', /packed as an MPEG stream/],
    ['1.2.840.10008.1.2.4.201', /its transfer syntax 1\.2\.840\.10008\.1\.2\.4\.201 is not read/],
    ['1.2.840.10008.1.2.4.94', /its transfer syntax .* is not read/],
  ])('refuses MPEG and HEVC clips, and rare encodings: %s', async (syntax, message) => {
    await expectError(read({ ...size, frames: [GREY], syntax }), { code: 'E_IMAGE_FORMAT', where: 'x.dcm', what: message });
  });

  it('refuses reports, which have no pixels', async () => {
    const report = part10(SYNTAX.explicit, [element(0x00080060, 'CS', Buffer.from('SR'))], '1.2.840.10008.5.1.4.1.1.88.11');
    await expectError(DicomFile.parse(report, 'x.dcm'), { code: 'E_IMAGE_NO_PIXELS', where: 'x.dcm' });
  });
});

describe('privacy', () => {
  const NAMES = ['Okonkwo', 'Lindqvist', 'Haddad', 'Private^Note', '19610203', 'St. Planted'];
  const more = {
    '00100010': text('PN', 'Okonkwo^Ada'),
    '00100030': text('DA', '19610203'),
    '00080090': text('PN', 'Lindqvist^Per'),
    '00080080': text('LO', 'St. Planted Hospital'),
    // In an item of a sequence, in a region of the image itself, and in private elements.
    '00081110': text('SQ', { '00100010': text('PN', 'Haddad^Rim') }),
    '00186011': text('SQ', { '00186012': text('US', 1), '00100010': text('PN', 'Haddad^Rim') }),
    '00091010': text('LO', 'Private^Note'),
    '00281050': text('DS', '128'),
    '00281051': text('DS', '256'),
    '00281055': text('LO', 'Okonkwo window'),
  };

  it('takes over nothing that the header does not list', async () => {
    const bytes = dicom({ ...size, frames: [GREY], more });
    for (const name of NAMES) expect(bytes.includes(name)).toBe(true);
    const film = await DicomFile.parse(bytes, 'x.dcm');
    const taken = JSON.stringify([film.header, await film.image(0)]);
    for (const name of NAMES) expect(taken).not.toContain(name);
    expect(Object.keys(film.header).sort()).toEqual(
      [
        ['width', 'height', 'frames', 'samples', 'photometric', 'bitsAllocated', 'bitsStored', 'highBit', 'signed', 'planar'],
        ['packing', 'transferSyntax', 'slope', 'intercept', 'window', 'padding', 'calibrations', 'regions', 'frameSeconds'],
      ]
        .flat()
        .sort(),
    );
  });

  it('says nothing of a patient in errors', async () => {
    const broken = dicom({ width: 60, height: 40, frames: [GREY], more });
    const error = await DicomFile.parse(broken, 'x.dcm')
      .then((film) => film.image(0))
      .catch((cause: Error) => cause);
    expect(error).toBeInstanceOf(DataError);
    for (const name of NAMES) expect((error as Error).message).not.toContain(name);
  });
});

describe('decodeImage of DICOM', () => {
  const film = dicom({ ...size, frames: [GREY, GREY.map((v) => 255 - v)] });

  it('takes a frame by its number and refuses a clip without one', async () => {
    const file = await write('film.dcm', film);
    expect([...(await decodeImage(`${file}#1`)).data]).toEqual(greyOf(GREY.map((v) => 255 - v)));
    await expectError(decodeImage(file), {
      code: 'E_FRAME_AMBIGUOUS',
      where: 'film.dcm',
      what: 'it holds 2 frames',
      fix: /Name one of them, as in .*film\.dcm#0/,
    });
    await expectError(decodeImage(`${file}#2`), { code: 'E_FRAME_NOT_FOUND', what: 'there is no frame 2' });
    await expectError(decodeImage(`${file}#x1`), { code: 'E_FRAME_NOT_FOUND', what: 'only volumes have axes' });
    expect(await listImages(file)).toEqual([`${file}#0`, `${file}#1`]);
  });

  it('recognises DICOM without a file name extension by its beginning', async () => {
    const file = await write('1.2.840.1', film);
    expect(await listImages(file)).toHaveLength(2);
    expect([...(await decodeImage(`${file}#0`)).data]).toEqual(greyOf(GREY));
    const single = await write('IM000001', dicom({ ...size, frames: [GREY] }));
    expect([...(await decodeImage(single)).data]).toEqual(greyOf(GREY));
  });

  it('rereads a file when it has changed', async () => {
    const file = await write('changing.dcm', dicom({ ...size, frames: [GREY] }));
    await decodeImage(file);
    await writeFile(file, dicom({ width: 2, height: 1, frames: [Uint8Array.from([5, 6])] }));
    expect([...(await decodeImage(file)).data]).toEqual([5, 5, 5, 6, 6, 6]);
  });

  const whole = dicom({ ...size, frames: [GREY] });
  it.each([
    ['missing.dcm', undefined, /missing\.dcm: there is no such file/],
    ['text.dcm', Buffer.from('not an image '.repeat(40)), /text\.dcm: it (cannot be read as DICOM|is damaged or cut off|has no)/],
    ['empty.dcm', Buffer.alloc(0), /empty\.dcm: /],
    ['short.dcm', whole.subarray(0, whole.length - 10), /short\.dcm: it is damaged or cut off/],
    ['header.dcm', whole.subarray(0, 200), /header\.dcm: it is damaged or cut off/],
    ['few.dcm', dicom({ width: W, height: 40, frames: [GREY] }), /few\.dcm: it has 24 bytes of pixels for 1 frame of 240/],
    [
      'huge.dcm',
      dicom({ width: 60000, height: 60000, frames: [GREY] }),
      /huge\.dcm: it is 60000x60000 pixels; up to 100 million/,
    ],
    [
      'cmyk.dcm',
      dicom({ ...size, frames: [GREY], photometric: 'CMYK' }),
      /cmyk\.dcm: its photometric interpretation "CMYK" is not read/,
    ],
    ['none.dcm', dicom({ ...size, frames: [GREY], photometric: 'PALETTE COLOR' }), /none\.dcm: its palette is missing/],
    ['rle.dcm', dicom({ ...size, frames: [GREY], syntax: SYNTAX.rle }), /rle\.dcm: its run-length coding has no header/],
  ])('refuses %s', async (name, content, message) => {
    const file = content === undefined ? join(dir, name) : await write(name, content);
    await expect(decodeImage(file)).rejects.toThrow(message);
    await expect(decodeImage(file)).rejects.toThrow(DataError);
  });
});
