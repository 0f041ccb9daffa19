import { describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { DicomFile, openImages } from '../../src/imaging/index.js';
import { codecFrame } from '../support/codec-frame.js';
import { SYNTAX } from '../support/dicom.js';
import { type Described, description, packedPixels, part10 } from '../support/dicom-bytes.js';
import { expectError } from '../support/expect-error.js';
import { losslessJpeg } from '../support/lossless-jpeg.js';

const size = { width: 64, height: 64 };
const GREY = Uint8Array.from({ length: 64 * 64 }, (_, i) => (i * 7) % 256);
const LOSSLESS = '1.2.840.10008.1.2.4.70';

const file = (syntax: string, frame: Uint8Array, of: Described = size) =>
  part10(syntax, [description(of), packedPixels([frame])]);
const image = async (bytes: Uint8Array) => (await DicomFile.parse(bytes, 'x.dcm')).image(0);

/** A stream whose header says another size. */
function saying(frame: Uint8Array, marker: readonly number[], at: number, ...bytes: readonly number[]): Buffer {
  const out = Buffer.from(frame);
  out.set(bytes, out.indexOf(Buffer.from(marker)) + at);
  return out;
}

/** Of SIZ: the sides of the image 6 bytes after the marker, those of its tiles 22 after. */
const SIZ = [0xff, 0x51];
const u32 = (v: number) => [v >>> 24, (v >>> 16) & 255, (v >>> 8) & 255, v & 255];

describe('a packed image larger than its file says', () => {
  it.each([60000, 0x7fffffff])('is refused before decoding: JPEG 2000 of %d', async (side) => {
    const frame = saying(await codecFrame('jpeg-2000', GREY, size), SIZ, 6, ...u32(side), ...u32(side));
    await expectError(image(file(SYNTAX.jpeg2000, frame)), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
      what: `its packed image is ${side}x${side} with 1 sample a pixel, its header says 64x64 with 1 sample`,
    });
  });

  it('is refused before it is unpacked: JPEG-LS, JPEG, lossless JPEG', async () => {
    const huge = [0xff, 0xff, 0xff, 0xff];
    const ls = saying(await codecFrame('jpeg-ls', GREY, size), [0xff, 0xf7], 5, ...huge);
    await expectError(image(file(SYNTAX.jpegLs, ls)), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
      what: 'its packed image is 65535x65535',
    });
    const grey = sharp(Buffer.from(GREY), { raw: { ...size, channels: 1 } }).toColourspace('b-w');
    const jpeg = saying(await grey.jpeg().toBuffer(), [0xff, 0xc0], 5, ...huge);
    await expectError(image(file(SYNTAX.jpeg, jpeg)), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
      what: 'its packed image is 65535x65535',
    });
    const exact = losslessJpeg(GREY, { ...size, precision: 8, predictor: 1 });
    await expectError(image(file(LOSSLESS, saying(exact, [0xff, 0xc3], 5, ...huge))), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
      what: 'is 65535x65535',
    });
    // A second header, after one that agrees.
    const twice = Buffer.concat([
      exact.subarray(0, 2),
      exact.subarray(exact.indexOf(0xc3) - 1, exact.indexOf(0xc3) + 12),
      exact.subarray(2),
    ]);
    await expectError(image(file(LOSSLESS, saying(twice, [0xff, 0xc4], 37, ...huge))), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
      what: 'cannot be decoded',
    });
  });

  it('is refused for colours and for bits too', async () => {
    const rgb = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => i % 256);
    const three = await sharp(Buffer.from(rgb), { raw: { ...size, channels: 3 } })
      .jpeg()
      .toBuffer();
    await expectError(image(file(SYNTAX.jpeg, three)), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
      what: '64x64 with 3 samples a pixel, its header says 64x64 with 1',
    });
    const deep = await codecFrame('jpeg-2000', new Uint8Array(64 * 64 * 2), { ...size, bits: 16 });
    await expectError(image(file(SYNTAX.jpeg2000, deep)), {
      code: 'E_IMAGE_DAMAGED',
      where: 'x.dcm',
      what: 'its packed image has 16 bits a sample, its header says 8',
    });
  });

  it('is refused where its tiles or layers would take the memory of one', async () => {
    const large = { width: 8192, height: 8192 };
    const whole = await codecFrame('jpeg-2000', GREY, size);
    const tiles = saying(whole, SIZ, 6, ...u32(8192), ...u32(8192), ...u32(0), ...u32(0), ...u32(1), ...u32(1));
    await expectError(image(file(SYNTAX.jpeg2000, tiles, large)), {
      code: 'E_IMAGE_TOO_LARGE',
      where: 'x.dcm',
      what: 'is in 67108864 tiles and 1 layers',
    });
    const none = saying(whole, SIZ, 22, ...u32(0), ...u32(0));
    await expectError(image(file(SYNTAX.jpeg2000, none)), { code: 'E_IMAGE_TOO_LARGE', where: 'x.dcm' });
    const layers = saying(whole, [0xff, 0x52], 6, 0xff, 0xff);
    await expectError(image(file(SYNTAX.jpeg2000, layers)), {
      code: 'E_IMAGE_TOO_LARGE',
      where: 'x.dcm',
      what: '65535 layers',
    });
  });
});

describe('images that are sent', () => {
  const limits = { pixels: 64 * 64, unpackedBytes: 1e6 };

  it('are DICOM by their content, without the preamble too', async () => {
    const sent = file(SYNTAX.jpeg2000, await codecFrame('jpeg-2000', GREY, size));
    expect((await openImages(sent, limits)).kind).toBe('frames');
    const text = (value: string) => Buffer.from(value.padEnd(value.length + (value.length % 2), '\0'));
    const head = (tag: number, vr: string, value: Buffer) =>
      Buffer.concat([Buffer.from([8, 0, tag, 0]), Buffer.from(vr), Buffer.from([value.length, 0]), value]);
    const old = Buffer.concat([
      head(0x08, 'CS', text('ORIGINAL')),
      head(0x16, 'UI', text('1.2.840.10008.5.1.4.1.1.6.1')),
      head(0x18, 'UI', text('1.2.3')),
      head(0x60, 'CS', text('US')),
      description(size),
      Buffer.from([0xe0, 0x7f, 0x10, 0, 0x4f, 0x42, 0, 0, 0, 16, 0, 0]),
      GREY,
    ]);
    const images = await openImages(old, limits);
    expect((await images.image('0')).data.filter((_, i) => i % 3 === 0)).toEqual(GREY);
  });

  it('are refused by their own size, whatever lies in them', async () => {
    const frame = await codecFrame('jpeg-2000', GREY, size);
    await expectError(openImages(file(SYNTAX.jpeg2000, frame, { width: 65, height: 64 }), limits), {
      code: 'E_IMAGE_TOO_LARGE',
      where: 'image',
      what: '65x64',
    });
  });
});
