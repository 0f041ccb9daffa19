import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import {
  boxIou,
  boxOfMask,
  connectedComponents,
  decodeImage,
  decodeMask,
  decodeRle,
  drawOverlay,
  encodePng,
  encodeRle,
  fitMask,
  ImageProcessor,
  maskLogitsToBinary,
  maskOfRuns,
  maskToPng,
  polygonsToMask,
  resizeMask,
  runsOf,
  selectDetections,
} from '../../src/processing/index.js';
import { DataError } from '../../src/util/index.js';
import { useBackend } from '../support/backend.js';

useBackend();

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sonoground-images-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

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
  ])('says what is wrong with %s', async (name, content, message) => {
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
    const found = selectDetections(answers, prompt, { boxThreshold: 0.3 }, size);
    expect(found.map(({ phrase }) => phrase)).toEqual(['Cyst', 'benign lesion']);
    expect(found[0]?.score).toBeCloseTo(0.9, 5);
    expect(found[1]?.score).toBeCloseTo(0.7, 5);
    found[1]?.boxXyxyPx.forEach((value, i) => {
      expect(value).toBeCloseTo([70, 35, 100, 50][i] as number, 4);
    });
  });

  it('keeps overlapping boxes when asked to, one a phrase when asked to, and none above every score', () => {
    expect(selectDetections(answers, prompt, { boxThreshold: 0.3, nmsThreshold: 1 }, size)).toHaveLength(3);
    expect(selectDetections(answers, prompt, { boxThreshold: 0.01, perPhrase: 'best' }, size)).toHaveLength(2);
    expect(selectDetections(answers, prompt, { boxThreshold: 0.95 }, size)).toEqual([]);
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
  it('enlarges small images, colours the mask, outlines the box and writes the label inside the picture', async () => {
    const image = { width: 64, height: 64, data: new Uint8Array(64 * 64 * 3).fill(40) };
    const square = {
      width: 64,
      height: 64,
      data: Uint8Array.from({ length: 64 * 64 }, (_, i) => Number(i % 64 >= 40 && i / 64 >= 40)),
    };
    const { width, height, data } = await decodeImage(
      await drawOverlay(image, [{ label: 'malignant lesion', score: 0.5, boxXyxyPx: [40, 40, 64, 64], mask: square }]),
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
