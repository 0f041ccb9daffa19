import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import {
  boxOfMask,
  connectedComponents,
  decodeImage,
  decodeMask,
  decodeRle,
  drawOverlay,
  encodePng,
  encodeRle,
  fitMask,
  listImages,
  maskLogitsToBinary,
  maskOfRuns,
  maskToPng,
  polygonsToMask,
  resizeMask,
  runsOf,
} from '../../src/imaging/index.js';
import { boxIou, ImageProcessor, selectDetections } from '../../src/processing/index.js';
import { DataError, Rng } from '../../src/util/index.js';
import { useBackend } from '../support/backend.js';
import { expectError } from '../support/expect-error.js';
import { nifti } from '../support/nifti.js';
import { temporaryFolder } from '../support/temporary-folder.js';

useBackend();

const dir = temporaryFolder('images');

/** 3 x 2 pixels: red, green, blue / white, black, grey. */
const PIXELS = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 90, 90, 90];
const raster = { width: 3, height: 2, data: Uint8Array.from(PIXELS) };
const raw = () => sharp(Buffer.from(PIXELS), { raw: { width: 3, height: 2, channels: 3 } });

/** A bottom-up 24-bit bitmap of the same pixels. */
function bmp24(): Buffer {
  const rows = [PIXELS.slice(9), PIXELS.slice(0, 9)].map((row) =>
    Buffer.from([...[0, 1, 2].flatMap((x) => row.slice(3 * x, 3 * x + 3).reverse()), 0, 0, 0]),
  );
  const body = Buffer.concat(rows);
  const header = Buffer.alloc(54);
  header.write('BM');
  header.writeInt32LE(54 + body.length, 2);
  header.writeInt32LE(54, 10);
  header.writeInt32LE(40, 14);
  header.writeInt32LE(3, 18);
  header.writeInt32LE(2, 22);
  header.writeUInt16LE(1, 26);
  header.writeUInt16LE(24, 28);
  return Buffer.concat([header, body]);
}

describe('decodeImage', () => {
  it.each([
    ['PNG', () => raw().png().toBuffer()],
    ['palette PNG', () => raw().png({ palette: true, colours: 8, dither: 0 }).toBuffer()],
    ['TIFF', () => raw().tiff({ compression: 'lzw' }).toBuffer()],
    ['lossless WebP', () => raw().webp({ lossless: true }).toBuffer()],
    ['BMP', async () => bmp24()],
  ])('reads %s exactly', async (_name, make) => {
    expect(await decodeImage(await make())).toEqual(raster);
  });

  it('makes grey, 16-bit and transparent images RGB of 8 bits', async () => {
    const grey = await sharp(Buffer.from([0, 128, 255, 64]), { raw: { width: 2, height: 2, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toBuffer();
    expect([...(await decodeImage(grey)).data]).toEqual([0, 0, 0, 128, 128, 128, 255, 255, 255, 64, 64, 64]);
    const deep = await sharp(new Uint16Array([0, 65535]), { raw: { width: 2, height: 1, channels: 1 } })
      .toColourspace('grey16')
      .png()
      .toBuffer();
    expect([...(await decodeImage(deep)).data]).toEqual([0, 0, 0, 255, 255, 255]);
    const clear = await sharp({ create: { width: 1, height: 1, channels: 4, background: { r: 200, g: 200, b: 200, alpha: 0 } } })
      .png()
      .toBuffer();
    expect([...(await decodeImage(clear)).data]).toEqual([0, 0, 0]);
  });

  it('turns an image as its EXIF says', async () => {
    const turned = await decodeImage(await raw().png().withMetadata({ orientation: 6 }).toBuffer());
    expect([turned.width, turned.height]).toEqual([2, 3]);
    expect([...turned.data.subarray(0, 3)]).toEqual([255, 255, 255]);
  });

  it.each([
    ['missing.png', undefined, /missing\.png: there is no such file/],
    ['text.png', Buffer.from('not an image'), /text\.png: it cannot be read as an image/],
    ['short.bmp', bmp24().subarray(0, 60), /short\.bmp: the file is shorter than its header says/],
  ])('reports what is wrong with %s', async (name, content, message) => {
    const file = join(dir, name);
    if (content !== undefined) await writeFile(file, content);
    await expect(decodeImage(file)).rejects.toThrow(message);
    await expect(decodeImage(file)).rejects.toThrow(DataError);
  });

  it('is undone by encodePng', async () => {
    expect(await decodeImage(await encodePng(raster))).toEqual(raster);
  });
});

const mask = (rows: string[]) => ({
  width: (rows[0] as string).length,
  height: rows.length,
  data: Uint8Array.from(rows.join(''), (c) => Number(c === '#')),
});
const SHAPE = mask(['.##..#', '.##...', '....#.', '#.....']);

describe('masks', () => {
  it('are written and read as PNG, and class masks of small numbers count from 1', async () => {
    expect(await decodeMask(await maskToPng(SHAPE))).toEqual(SHAPE);
    const classes = await sharp(Buffer.from([0, 1, 2, 0]), { raw: { width: 2, height: 2, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toBuffer();
    expect([...(await decodeMask(classes)).data]).toEqual([0, 1, 1, 0]);
  });

  it('have boxes at pixel edges and 8-connected parts', () => {
    expect(boxOfMask(SHAPE)).toEqual([0, 0, 6, 4]);
    expect(boxOfMask(mask(['..', '..']))).toBeUndefined();
    expect(connectedComponents(SHAPE).map(boxOfMask)).toEqual([
      [1, 0, 3, 2],
      [5, 0, 6, 1],
      [4, 2, 5, 3],
      [0, 3, 1, 4],
    ]);
    expect(connectedComponents(mask(['#.', '.#']))).toHaveLength(1);
    expect(connectedComponents(SHAPE, { minArea: 2 })).toHaveLength(1);
  });

  it('become COCO runs and strings, and come back', () => {
    expect(maskOfRuns(runsOf(SHAPE), 6, 4)).toEqual(SHAPE);
    expect(decodeRle(encodeRle(SHAPE), 6, 4)).toEqual(SHAPE);
    // Strings as pycocotools 2.0 writes them.
    expect(encodeRle(mask(['.#', '.#', '..']))).toBe('321');
    expect(encodeRle(mask(['##', '##']))).toBe('04');
    const large = { width: 50, height: 40, data: Uint8Array.from({ length: 2000 }, (_, i) => Number((i * 7919) % 13 < 5)) };
    expect(decodeRle(encodeRle(large), 50, 40)).toEqual(large);
  });

  it('are filled from polygons by pixel centres', () => {
    expect(polygonsToMask([[1, 0, 3, 0, 3, 2, 1, 2]], { width: 4, height: 3 })).toEqual(mask(['.##.', '.##.', '....']));
    expect(polygonsToMask([[-5, -5, 9, -5, 9, 9, -5, 9]], { width: 2, height: 2 })).toEqual(mask(['##', '##']));
  });

  it('are resized by nearest pixels, and grey ones by area', () => {
    expect(resizeMask(mask(['#.', '.#']), { width: 4, height: 4 })).toEqual(mask(['##..', '##..', '..##', '..##']));
    const grey = { width: 4, height: 2, data: Uint8Array.from([255, 255, 0, 100, 255, 0, 0, 100]) };
    expect(fitMask(grey, { width: 2, height: 1 }, 'm.png')).toEqual(mask(['#.']));
  });

  it('come from logits by bilinear enlargement', () => {
    const logits = { width: 2, height: 1, data: Float32Array.from([-1, 3]) };
    // At the centres of 4 columns the logits are -1, 0, 2, 3.
    expect(maskLogitsToBinary(logits, { width: 4, height: 1 })).toEqual(mask(['..##']));
  });
});

describe('selectDetections', () => {
  const prompt = {
    text: 'cyst. benign lesion.',
    inputIds: new Int32Array(6),
    phrases: [
      { phrase: 'Cyst', tokens: [1] },
      { phrase: 'benign lesion', tokens: [3, 4] },
    ],
  };
  const logit = (p: number) => Math.log(p / (1 - p));
  const row = (cyst: number, benign: number, lesion: number) => [-9, logit(cyst), -9, logit(benign), logit(lesion), 9];
  const answers = {
    logits: Float32Array.from([row(0.9, 0.1, 0.1), row(0.8, 0.1, 0.1), row(0.1, 0.9, 0.5), row(0.05, 0.05, 0.05)].flat()),
    boxes: Float32Array.from([0.5, 0.5, 0.2, 0.2, 0.51, 0.5, 0.2, 0.2, 0.9, 0.9, 0.4, 0.4, 0.2, 0.2, 0.1, 0.1]),
  };
  const size = { width: 100, height: 50 };

  it('gives the caller’s own phrases, drops overlapping weaker boxes and clips to the image', () => {
    const found = selectDetections(answers, prompt, { threshold: 0.3 }, size);
    expect(found.map(({ phrase }) => phrase)).toEqual(['Cyst', 'benign lesion']);
    expect(found[0]?.score).toBeCloseTo(0.9, 5);
    expect(found[1]?.score).toBeCloseTo(0.7, 5);
    found[1]?.boxXyxyPx.forEach((value, i) => {
      expect(value).toBeCloseTo([70, 35, 100, 50][i] as number, 4);
    });
  });

  it('keeps overlapping boxes when asked to, one a phrase when asked to, and none above every score', () => {
    expect(selectDetections(answers, prompt, { threshold: 0.3, nmsThreshold: 1 }, size)).toHaveLength(3);
    expect(selectDetections(answers, prompt, { threshold: 0.01, select: 'best-per-phrase' }, size)).toHaveLength(2);
    expect(selectDetections(answers, prompt, { threshold: 0.95 }, size)).toEqual([]);
    expect(boxIou([0, 0, 2, 2], [1, 0, 3, 2])).toBeCloseTo(1 / 3);
  });
});

describe('ImageProcessor', () => {
  it('keeps the proportions, pads to the largest and marks the padding', async () => {
    const processor = new ImageProcessor({
      do_resize: true,
      resample: 2,
      size: { shortest_edge: 4, longest_edge: 6 },
      do_rescale: true,
      rescale_factor: 1 / 255,
      do_normalize: true,
      image_mean: [0.5, 0.5, 0.5],
      image_std: [0.25, 0.5, 1],
    });
    const plain = (width: number, height: number, level: number) => ({
      width,
      height,
      data: new Uint8Array(width * height * 3).fill(level),
    });
    const { pixelValues, pixelMask, sizes } = processor.process([plain(8, 8, 255), plain(20, 10, 0)]);
    expect(sizes).toEqual([
      { width: 4, height: 4 },
      { width: 6, height: 3 },
    ]);
    expect(pixelValues.shape).toEqual([2, 4, 6, 3]);
    const [values, marks] = await Promise.all([pixelValues.data(), pixelMask.data()]);
    expect([...values.subarray(0, 3)]).toEqual([2, 1, 0.5]);
    expect([...values.subarray(12, 15)]).toEqual([0, 0, 0]);
    expect([...marks.subarray(0, 6)]).toEqual([1, 1, 1, 1, 0, 0]);
    expect([...marks].reduce((a, b) => a + b)).toBe(16 + 18);
  });
});

describe('drawOverlay', () => {
  it('gives a phrase one colour in all images, whatever else each of them shows', async () => {
    const image = { width: 64, height: 64, data: new Uint8Array(64 * 64 * 3).fill(90) };
    const lower = { phrase: 'cyst', boxXyxyPx: [8, 24, 40, 56] as const };
    const upper = { phrase: 'benign lesion', boxXyxyPx: [4, 4, 20, 20] as const };
    const phrases = ['benign lesion', 'cyst'];
    const corner = async (items: readonly (typeof lower | typeof upper)[]) => {
      const { width, data } = await decodeImage(await drawOverlay(image, items, phrases));
      const at = ((width / 64) * 56 - 1) * width + (width / 64) * 40 - 1;
      return [...data.subarray(at * 3, at * 3 + 3)];
    };
    expect(await corner([lower])).toEqual(await corner([upper, lower]));
    expect(await corner([lower])).not.toEqual([90, 90, 90]);
  });

  it('enlarges small images, colours the mask, outlines the box and writes the label inside the image', async () => {
    const image = { width: 64, height: 64, data: new Uint8Array(64 * 64 * 3).fill(40) };
    const square = {
      width: 64,
      height: 64,
      data: Uint8Array.from({ length: 64 * 64 }, (_, i) => Number(i % 64 >= 40 && i / 64 >= 40)),
    };
    const { width, height, data } = await decodeImage(
      await drawOverlay(image, [{ phrase: 'malignant lesion', score: 0.5, boxXyxyPx: [40, 40, 64, 64], mask: square }]),
    );
    expect([width, height]).toEqual([512, 512]);
    const at = (x: number, y: number) => [...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
    expect(at(100, 100)).toEqual([40, 40, 40]);
    const [r = 0, g = 0, b = 0] = at(420, 420);
    expect(r).toBeGreaterThan(g);
    expect(g).toBeGreaterThan(b);
    expect(at(321, 420)).toEqual([230, 159, 0]);
    const black = Array.from({ length: width * height }, (_, i) => i).filter(
      (i) => data[3 * i] === 0 && data[3 * i + 1] === 0 && data[3 * i + 2] === 0,
    );
    expect(black.length).toBeGreaterThan(200); // letters
  });
});

describe('files of several images and of other depths', () => {
  const page = (level: number) =>
    sharp(Buffer.alloc(6, level), { raw: { width: 3, height: 2, channels: 1 } }).toColourspace('b-w');

  /** A TIFF of two pages: libvips makes pages of a tall image. */
  const pages = () =>
    sharp(Buffer.concat([Buffer.alloc(6, 40), Buffer.alloc(6, 90)]), { raw: { width: 3, height: 4, channels: 1, pageHeight: 2 } })
      .toColourspace('b-w')
      .tiff({ compression: 'none' })
      .toBuffer();

  it('reads the pages of a TIFF by number and refuses it without one', async () => {
    const file = join(dir, 'pages.tif');
    await writeFile(file, await pages());
    expect(await listImages(file)).toEqual([`${file}#0`, `${file}#1`]);
    expect((await decodeImage(`${file}#1`)).data[0]).toBe(90);
    await expectError(decodeImage(file), {
      code: 'E_FRAME_AMBIGUOUS',
      where: 'pages.tif',
      what: 'it holds 2 pages',
      fix: /Name one of them, as in .*pages\.tif#0/,
    });
    await expectError(decodeImage(`${file}#2`), {
      code: 'E_FRAME_NOT_FOUND',
      what: 'there is no page 2',
      fix: 'They are numbered 0 to 1',
    });
  });

  it('takes a file that is really called so, and number 0 of any file', async () => {
    const file = join(dir, 'odd#3');
    await writeFile(file, await page(7).png().toBuffer());
    expect((await decodeImage(file)).data[0]).toBe(7);
    const single = join(dir, 'single.png');
    await writeFile(single, await page(8).png().toBuffer());
    expect((await decodeImage(`${single}#0`)).data[0]).toBe(8);
    await expectError(decodeImage(`${single}#1`), {
      code: 'E_FRAME_NOT_FOUND',
      where: 'single.png',
      what: 'there is no image 1',
    });
    expect(await listImages(single)).toEqual([single]);
  });

  it('reads planes of a volume across any axis, labels unchanged', async () => {
    const file = join(dir, 'volume.nii.gz');
    await writeFile(
      file,
      nifti({ dims: [2, 3, 2], values: Array.from({ length: 12 }, (_, i) => i), gzip: true, pixdims: [0.5, 2, 1] }),
    );
    const plane = await decodeImage(`${file}#1`);
    expect([plane.width, plane.height, plane.spacingMm]).toEqual([2, 3, [0.5, 2]]);
    expect([...plane.data].filter((_value, i) => i % 3 === 0)).toEqual([6, 7, 8, 9, 10, 11]);
    expect([...(await decodeMask(`${file}#z0`)).data]).toEqual([0, 1, 1, 1, 1, 1]);
    expect((await decodeImage(`${file}#y2`)).data[0]).toBe(4);
    await expectError(decodeImage(file), {
      code: 'E_FRAME_AMBIGUOUS',
      where: 'volume.nii.gz',
      what: 'it holds 2 slices',
      fix: /Name one of them, as in .*#1/,
    });
    expect(await listImages(file)).toEqual([`${file}#0`, `${file}#1`]);
    const channels = join(dir, 'channels.nii');
    await writeFile(channels, nifti({ dims: [2, 1, 1, 2], values: [1, 2, 3, 4] }));
    expect(await listImages(channels)).toEqual([`${channels}#0t0`, `${channels}#0t1`]);
    expect((await decodeImage(`${channels}#0t1`)).data[0]).toBe(3);
  });

  const deep = (values: readonly number[]) =>
    sharp(new Uint16Array(values), { raw: { width: values.length, height: 1, channels: 1 } }).toColourspace('grey16');
  it.each([
    [
      [0, 1, 2, 255],
      [0, 1, 2, 255],
    ],
    [
      [0, 2048, 4095],
      [0, 128, 255],
    ],
    [
      [0, 4096, 65535],
      [0, 16, 255],
    ],
  ])('converts %j to 8 bits', async (values, expected) => {
    for (const make of [() => deep(values).png().toBuffer(), () => deep(values).tiff({ compression: 'lzw' }).toBuffer()])
      expect([...(await decodeImage(await make())).data].filter((_value, i) => i % 3 === 0)).toEqual(expected);
  });

  it('spreads floating-point TIFF over its range', async () => {
    const float = floatTiff([-1, 0, 3]);
    expect([...(await decodeImage(float)).data].filter((_value, i) => i % 3 === 0)).toEqual([0, 64, 255]);
  });

  it('keeps class numbers of a 16-bit mask', async () => {
    expect([...(await decodeMask(await deep([0, 1, 2]).png().toBuffer())).data]).toEqual([0, 1, 1]);
  });

  it.each([
    [
      'bomb.png',
      () =>
        sharp({ create: { width: 12000, height: 9000, channels: 3, background: '#000' }, limitInputPixels: false })
          .png()
          .toBuffer(),
      /bomb\.png: it is 12000x9000 pixels; up to 100 million are read/,
    ],
    ['cut.png', async () => (await noise().png().toBuffer()).subarray(0, 4000), /cut\.png: it cannot be read as an image/],
    ['cut.jpg', async () => (await noise().jpeg().toBuffer()).subarray(0, 1500), /cut\.jpg: it cannot be read as an image/],
    [
      'cut.tif',
      async () => (await noise().tiff({ compression: 'none' }).toBuffer()).subarray(0, 4000),
      /cut\.tif: it cannot be read as an image/,
    ],
  ])('refuses %s', async (name, make, message) => {
    const file = join(dir, name);
    await writeFile(file, await make());
    await expect(decodeImage(file)).rejects.toThrow(message);
    await expect(decodeImage(file)).rejects.toThrow(DataError);
  });
});

/** One row of 32-bit floating-point grey, after the TIFF specification's baseline. */
function floatTiff(values: readonly number[]): Buffer {
  const tags = [
    [256, values.length],
    [257, 1],
    [258, 32],
    [259, 1],
    [262, 1],
    [273, 8],
    [277, 1],
    [278, 1],
    [279, values.length * 4],
    [339, 3],
  ] as const;
  const bytes = Buffer.alloc(8 + values.length * 4 + 2 + tags.length * 12 + 4);
  bytes.write('II*\0');
  const start = 8 + values.length * 4;
  bytes.writeUInt32LE(start, 4);
  for (const [i, value] of values.entries()) bytes.writeFloatLE(value, 8 + 4 * i);
  bytes.writeUInt16LE(tags.length, start);
  for (const [i, [tag, value]] of tags.entries()) {
    const at = start + 2 + 12 * i;
    bytes.writeUInt16LE(tag, at);
    bytes.writeUInt16LE(4, at + 2);
    bytes.writeUInt32LE(1, at + 4);
    bytes.writeUInt32LE(value, at + 8);
  }
  return bytes;
}

/** 64 x 64 pixels that no coder makes small. */
function noise() {
  const rng = Rng.seeded(5);
  return sharp(Buffer.from(Array.from({ length: 64 * 64 }, () => rng.int(256))), { raw: { width: 64, height: 64, channels: 1 } });
}

describe('bitmaps', () => {
  /** A bitmap of palette or masked pixels from its rows as they are stored, top row first if `topDown`. */
  function bmp(
    bits: number,
    rows: readonly (readonly number[])[],
    {
      compression = 0,
      topDown = false,
      palette = [] as number[][],
      masks = [] as number[],
      width = 3,
      height = rows.length,
      os2 = false,
    } = {},
  ): Buffer {
    const header = Buffer.alloc(os2 ? 26 : 54);
    const extra = Buffer.concat([
      ...masks.map((mask) => {
        const word = Buffer.alloc(4);
        word.writeUInt32LE(mask);
        return word;
      }),
      ...palette.map(([r, g, b]) => Buffer.from([b as number, g as number, r as number, ...(os2 ? [] : [0])])),
    ]);
    const body = Buffer.concat(
      rows.map((row) =>
        Buffer.from([...row, ...(compression === 1 || compression === 2 ? [] : Array((4 - (row.length % 4)) % 4).fill(0))]),
      ),
    );
    header.write('BM');
    header.writeUInt32LE(header.length + extra.length, 10);
    header.writeUInt32LE(os2 ? 12 : 40, 14);
    if (os2) {
      header.writeUInt16LE(width, 18);
      header.writeUInt16LE(height, 20);
      header.writeUInt16LE(bits, 24);
    } else {
      header.writeInt32LE(width, 18);
      header.writeInt32LE(topDown ? -height : height, 22);
      header.writeUInt16LE(bits, 28);
      header.writeUInt32LE(compression, 30);
      header.writeUInt32LE(palette.length, 46);
    }
    return Buffer.concat([header, extra, body]);
  }

  const palette = [0, 3, 6, 9, 12, 15].map((i) => PIXELS.slice(i, i + 3));
  it.each([
    [
      '4 bits',
      bmp(
        4,
        [
          [0x34, 0x50],
          [0x01, 0x20],
        ],
        { palette },
      ),
    ],
    [
      '4 bits, top row first',
      bmp(
        4,
        [
          [0x01, 0x20],
          [0x34, 0x50],
        ],
        { palette, topDown: true },
      ),
    ],
    [
      '8 bits',
      bmp(
        8,
        [
          [3, 4, 5],
          [0, 1, 2],
        ],
        { palette },
      ),
    ],
    [
      '8 bits of OS/2',
      bmp(
        8,
        [
          [3, 4, 5],
          [0, 1, 2],
        ],
        { palette, os2: true },
      ),
    ],
    [
      '8 bits in runs',
      bmp(
        8,
        [
          [0, 3, 3, 4, 5, 0, 0, 0],
          [1, 0, 1, 1, 1, 2, 0, 1],
        ],
        { palette, compression: 1 },
      ),
    ],
    [
      '4 bits in runs',
      bmp(
        4,
        [
          [0, 3, 0x34, 0x50, 0, 0],
          [2, 0x01, 1, 0x20, 0, 1],
        ],
        { palette, compression: 2 },
      ),
    ],
    [
      '32 bits with masks',
      bmp(
        32,
        [PIXELS.slice(9), PIXELS.slice(0, 9)].map((row) => [0, 1, 2].flatMap((x) => [0, ...row.slice(3 * x, 3 * x + 3)])),
        { compression: 3, masks: [0xff00, 0xff0000, 0xff000000] },
      ),
    ],
  ])('are read with %s', async (_name, bytes) => {
    expect(await decodeImage(bytes)).toEqual(raster);
  });

  it('are read with 1 and 16 bits', async () => {
    const one = await decodeImage(
      bmp(1, [[0b10100000]], {
        palette: [
          [9, 9, 9],
          [200, 100, 50],
        ],
      }),
    );
    expect([...one.data]).toEqual([200, 100, 50, 9, 9, 9, 200, 100, 50]);
    const five = await decodeImage(bmp(16, [[0x00, 0x7c, 0xe0, 0x03, 0x1f, 0x00]]));
    expect([...five.data]).toEqual([255, 0, 0, 0, 255, 0, 0, 0, 255]);
    const six = await decodeImage(
      bmp(16, [[0x00, 0xf8, 0xe0, 0x07, 0x1f, 0x00]], { compression: 3, masks: [0xf800, 0x7e0, 0x1f] }),
    );
    expect([...six.data]).toEqual([255, 0, 0, 0, 255, 0, 0, 0, 255]);
  });

  it.each([
    [
      'of a kind that is not read',
      bmp(24, [[0, 0, 0]], { compression: 4 }),
      /this kind of BMP \(24 bits, compression 4\) is not read/,
      'E_IMAGE_FORMAT',
    ],
    [
      'cut off in a run',
      bmp(8, [[9, 0, 0]], { palette, compression: 1 }),
      /the file is shorter than its header says/,
      'E_IMAGE_DAMAGED',
    ],
    [
      'of impossible size',
      bmp(8, [[0, 0, 0]], { palette, width: 60000, height: 60000 }),
      /it is 60000x60000 pixels/,
      'E_IMAGE_TOO_LARGE',
    ],
  ] as const)('are refused when %s', async (_name, bytes, message, code) => {
    await expectError(decodeImage(bytes), { code, what: message });
  });
});
