import { describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { DicomFile } from '../../src/imaging/index.js';
import { codecFrame } from '../support/codec-frame.js';
import { type DicomParts, dicom, SYNTAX } from '../support/dicom.js';
import { fixtureJson } from '../support/golden.js';
import { losslessJpeg } from '../support/lossless-jpeg.js';
import { rleFrame } from '../support/rle-frame.js';

const [W, H] = [64, 32];
const size = { width: W, height: H };
const LOSSLESS = '1.2.840.10008.1.2.4.70';

/** Patches of colours that no two of the ways to read them give alike. */
const PATCHES = [
  [250, 10, 10],
  [10, 240, 20],
  [20, 30, 245],
  [200, 150, 40],
];
const PIXELS = Uint8Array.from({ length: W * H * 3 }, (_, i) => PATCHES[Math.floor(i / 48) % 4]?.[i % 3] as number);

/** The same as luminance and colour differences, by JFIF's formulas. */
const YBR = Uint8Array.from(PIXELS, (_, i) => {
  const [r, g, b] = [0, 1, 2].map((c) => PIXELS[i - (i % 3) + c] as number) as [number, number, number];
  const levels = [
    0.299 * r + 0.587 * g + 0.114 * b,
    128 - 0.168736 * r - 0.331264 * g + 0.5 * b,
    128 + 0.5 * r - 0.418688 * g - 0.081312 * b,
  ];
  return Math.round(Math.min(255, Math.max(0, levels[i % 3] as number)));
});
const planes = (bytes: Uint8Array) =>
  [0, 1, 2].map((c) => Uint8Array.from({ length: W * H }, (_, i) => bytes[i * 3 + c] as number));

const read = async (parts: Omit<DicomParts, 'width' | 'height'>) =>
  (await (await DicomFile.parse(dicom({ ...size, samples: 3, ...parts }), 'x.dcm')).image(0)).data;
const farthest = (a: Uint8Array, b: Uint8Array) => Math.max(...a.map((v, i) => Math.abs(v - (b[i] as number))));

/** What rounding luminance and differences to bytes and back can lose. */
const ROUNDING = 2;

const segment = (marker: number, body: readonly number[]) => [0xff, marker, 0, body.length + 2, ...body];
const ADOBE = (transform: number) => segment(0xee, [...Buffer.from('Adobe'), 0, 100, 0, 0, 0, 0, transform]);
const JFIF = segment(0xe0, [...Buffer.from('JFIF\0'), 1, 1, 0, 0, 1, 0, 1, 0, 0]);

describe('colours of lossless codings are what the label says', () => {
  const jpeg = (bytes: Uint8Array, marks: readonly number[] = [], ids = [1, 2, 3]) =>
    losslessJpeg(bytes, { ...size, precision: 8, predictor: 1, ids, marks });
  it.each([
    ['uncompressed', SYNTAX.explicit, async (bytes: Uint8Array) => bytes],
    ['run-length', SYNTAX.rle, async (bytes: Uint8Array) => rleFrame(planes(bytes))],
    ['JPEG-LS', SYNTAX.jpegLs, (bytes: Uint8Array) => codecFrame('jpeg-ls', bytes, { ...size, components: 3 })],
    ['lossless JPEG', LOSSLESS, async (bytes: Uint8Array) => jpeg(bytes)],
    ['lossless JPEG of process 14', '1.2.840.10008.1.2.4.57', async (bytes: Uint8Array) => jpeg(bytes)],
    // libjpeg marks whatever it was not told about.
    ['lossless JPEG with marks', LOSSLESS, async (bytes: Uint8Array) => jpeg(bytes, ADOBE(0), [82, 71, 66])],
    ['lossless JPEG with JFIF', LOSSLESS, async (bytes: Uint8Array) => jpeg(bytes, JFIF)],
  ] as const)('%s', async (_name, syntax, pack) => {
    expect(await read({ frames: [await pack(PIXELS)], syntax, photometric: 'RGB' })).toEqual(PIXELS);
    const converted = await read({ frames: [await pack(YBR)], syntax, photometric: 'YBR_FULL' });
    expect(farthest(converted, PIXELS)).toBeLessThanOrEqual(ROUNDING);
  });
});

describe('JPEG 2000', () => {
  it.each(['RGB', 'YBR_FULL', 'YBR_FULL_422', 'YBR_RCT', 'YBR_ICT'])(
    'is converted once if its stream has the transform, with the label %s',
    async (photometric) => {
      const frame = await codecFrame('jpeg-2000', PIXELS, { ...size, components: 3 });
      expect(await read({ frames: [frame], syntax: SYNTAX.jpeg2000, photometric })).toEqual(PIXELS);
    },
  );

  /** The patches, without a transform. */
  const { withoutTransform } = fixtureJson('dicom', 'cases.json') as { withoutTransform: string };
  const stream = Buffer.from(withoutTransform, 'base64');

  it('has the colours of its label where its stream has no transform', async () => {
    const of = (photometric: string) => read({ frames: [stream], syntax: SYNTAX.jpeg2000, photometric });
    expect(await of('RGB')).toEqual(PIXELS);
    expect(await of('YBR_RCT')).toEqual(PIXELS);
    const converted = await read({ frames: [PIXELS], photometric: 'YBR_FULL' });
    expect(await of('YBR_FULL')).toEqual(converted);
    expect(farthest(converted, PIXELS)).toBeGreaterThan(30);
  });

  it.each([
    [16, 'YBR_FULL'],
    [18, 'RGB'],
  ])('in a JP2 file follows the colour space of the file, %d, not the label %s', async (named, photometric) => {
    const box = (name: string, ...parts: readonly Uint8Array[]) => {
      const head = Buffer.alloc(8);
      head.writeUInt32BE(8 + parts.reduce((sum, { length }) => sum + length, 0));
      head.write(name, 4, 'latin1');
      return Buffer.concat([head, ...parts]);
    };
    const header = Buffer.from([0, 0, 0, H, 0, 0, 0, W, 0, 3, 7, 7, 0, 0]);
    const jp2 = Buffer.concat([
      box('jP  ', Buffer.from([0x0d, 0x0a, 0x87, 0x0a])),
      box('ftyp', Buffer.from('jp2 \0\0\0\0jp2 ')),
      box('jp2h', box('ihdr', header), box('colr', Buffer.from([1, 0, 0, 0, 0, 0, named]))),
      box('jp2c', stream),
    ]);
    const expected = named === 18 ? await read({ frames: [PIXELS], photometric: 'YBR_FULL' }) : PIXELS;
    expect(await read({ frames: [jp2], syntax: SYNTAX.jpeg2000, photometric })).toEqual(expected);
  });
});

describe('JPEG with losses', () => {
  /** What quality 100 loses in patches as wide as half a block. */
  const LOSSY = 4;
  const insert = (jpeg: Buffer, marks: readonly number[]) =>
    Buffer.concat([jpeg.subarray(0, 2), Buffer.from(marks), jpeg.subarray(2)]);
  const plain = (bytes: Uint8Array) =>
    sharp(Buffer.from(bytes), { raw: { ...size, channels: 3 } })
      .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
      .toBuffer();
  /** Red, green and blue as they are: three components that no encoder has converted. */
  const unconverted = async () => {
    // What comes of YBR when it is taken for RGB and converted, is RGB once more when it is not converted back.
    const back = await read({ frames: [YBR_OF_YBR], photometric: 'YBR_FULL' });
    return plain(back);
  };
  const YBR_OF_YBR = PIXELS;

  it.each(['YBR_FULL_422', 'YBR_FULL', 'RGB'])(
    'is converted if JFIF or Adobe markers require it, with the label %s',
    async (photometric) => {
      for (const marks of [JFIF, ADOBE(1)]) {
        const frame = insert(await plain(PIXELS), marks);
        const data = await read({ frames: [frame], syntax: SYNTAX.jpeg, photometric });
        expect(farthest(data, PIXELS)).toBeLessThanOrEqual(LOSSY);
      }
    },
  );

  it('is converted where colours are reduced, with the label RGB', async () => {
    const wide = sharp(Buffer.from(PIXELS), { raw: { ...size, channels: 3 } });
    const frame = await wide.jpeg({ quality: 100, chromaSubsampling: '4:2:0' }).toBuffer();
    const expected = new Uint8Array(await sharp(frame).raw().toBuffer());
    expect(await read({ frames: [frame], syntax: SYNTAX.jpeg, photometric: 'RGB' })).toEqual(expected);
  });

  it.each(['YBR_FULL_422', 'YBR_FULL'])(
    'is not converted if its components are named R, G and B, with the label %s',
    async (photometric) => {
      const bytes = await unconverted();
      const rgb = await read({ frames: [bytes], syntax: SYNTAX.jpeg, photometric: 'RGB' });
      // The components' names, in the frame and in the scan.
      const named = Buffer.from(bytes);
      const [frame, scan] = [named.indexOf(Buffer.from([0xff, 0xc0])), named.indexOf(Buffer.from([0xff, 0xda]))];
      for (const [c, letter] of [...'RGB'].entries()) {
        named[frame + 10 + 3 * c] = letter.charCodeAt(0);
        named[scan + 5 + 2 * c] = letter.charCodeAt(0);
      }
      expect(await read({ frames: [named], syntax: SYNTAX.jpeg, photometric })).toEqual(rgb);
      expect(await read({ frames: [insert(bytes, ADOBE(0))], syntax: SYNTAX.jpeg, photometric })).toEqual(rgb);
      // Components named 1, 2 and 3 are converted.
      expect(farthest(await read({ frames: [bytes], syntax: SYNTAX.jpeg, photometric }), rgb)).toBeGreaterThan(30);
    },
  );

  it('is the same with a colour profile as without', async () => {
    const image = sharp(Buffer.from(PIXELS), { raw: { ...size, channels: 3 } }).withIccProfile('p3');
    const profiled = await image.jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer();
    expect(profiled.includes('ICC_PROFILE')).toBe(true);
    const at = profiled.indexOf('ICC_PROFILE') - 4;
    const bare = Buffer.concat([profiled.subarray(0, at), profiled.subarray(at + 2 + profiled.readUInt16BE(at + 2))]);
    const of = (frame: Buffer) => read({ frames: [frame], syntax: SYNTAX.jpeg, photometric: 'YBR_FULL_422' });
    expect(await of(profiled)).toEqual(await of(bare));
  });
});
