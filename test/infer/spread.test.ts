import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type BinaryMask, boxOfMask, encodePng, type RasterImage } from '../../src/imaging/index.js';
import type { SpreadSettings } from '../../src/infer/batch/spread.js';
import { type GroundedSegmenter, runBatch, writeVolumes } from '../../src/infer/index.js';
import { type MeasuresRecord, PixelSizes } from '../../src/measure/index.js';
import { nanoModels } from '../../src/pretrained/index.js';
import { ellipseMask } from '../support/ellipse-mask.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const dir = temporaryFolder('spread');
const [width, height] = [80, 60];

/** An ellipse on the left of the image, wider by some pixels. */
function blob(wider: number): BinaryMask {
  const ellipse = ellipseMask({ axesMm: [24 + wider, 16], angle: 0, spacingMm: [1, 1] });
  const data = new Uint8Array(width * height);
  for (let y = 0; y < ellipse.height; y++)
    data.set(ellipse.data.subarray(y * ellipse.width, (y + 1) * ellipse.width), (y + 10) * width + 16 - Math.floor(wider / 2));
  return { width, height, data };
}

function mirrored({ data }: BinaryMask): BinaryMask {
  return { width, height, data: data.map((_, i) => data[Math.floor(i / width) * width + width - 1 - (i % width)] as number) };
}

/** Finds an ellipse whose width depends on the words, on the side where the image is bright, and nothing for some words. */
const segmenter = {
  async segment(image: RasterImage, phrases: readonly string[], { maskLevels }: { maskLevels?: readonly number[] } = {}) {
    const flipped = image.data[0] === 0;
    return phrases.flatMap((phrase) => {
      if (phrase === 'vesicle') return [];
      const mask = blob(phrase === 'sac' ? 4 : flipped ? 2 : 0);
      const seen = flipped ? mirrored(mask) : mask;
      // Wider at low levels, and gone at high ones.
      const at = (level: number) =>
        level > 0.9 ? { width, height, data: new Uint8Array(width * height) } : blob(level < 0.5 ? 8 : -8);
      const found = { phrase, score: 0.9, boxXyxyPx: boxOfMask(seen), mask: seen, maskScore: 0.9 };
      return [maskLevels === undefined ? found : { ...found, atLevels: maskLevels.map(at) }];
    });
  },
  dispose: () => {},
} as unknown as GroundedSegmenter;

async function resultsOf(spread: SpreadSettings | undefined, out: string) {
  await mkdir(join(dir, 'in'), { recursive: true });
  const path = join(dir, 'in', 'a.png');
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => ((i / 3) % width < width / 2 ? 200 : 0));
  await writeFile(path, await encodePng({ width, height, data }));
  await runBatch({
    images: [{ path, id: 'a', fileName: 'a.png' }],
    settings: {
      prompts: ['left cyst'],
      ...nanoModels,
      adapter: undefined,
      select: 'all',
      threshold: 0.1,
      nmsThreshold: 0.5,
      ...(spread && { spread }),
    },
    out: join(dir, out),
    load: async () => segmenter,
    pixelSizes: PixelSizes.all([0.5, 0.5], '--mm-per-pixel'),
  });
  return JSON.parse(await readFile(join(dir, out, 'results.json'), 'utf8'))[0];
}

describe('the spread of measures', () => {
  it('is over the mirrored image, turned back, and other wordings; lost structures are counted', async () => {
    const { measures } = await resultsOf({ wordings: { 'left cyst': ['sac', 'vesicle'] } }, 'spread');
    // 24, 26 and 28 pixels long, of half a millimetre.
    expect(measures.spread).toMatchObject({ variants: 3, lost: 1 });
    expect(Math.abs(measures.spread.long_axis_mm - 1)).toBeLessThan(0.1);
    expect(measures.spread.short_axis_mm).toBeLessThan(0.1);
    expect(Math.abs(measures.long_axis_mm - 12)).toBeLessThan(0.5);
  });

  it('is also over thresholds of the mask, of which those that leave nothing are counted', async () => {
    const { measures } = await resultsOf({ wordings: {}, levels: [0.3, 0.7, 0.95] }, 'levels');
    // 24 and 26 pixels long, and 32 and 16 at two levels.
    expect(measures.spread).toMatchObject({ variants: 4, lost: 1 });
    const lengths = [12, 13, 16, 8];
    const mean = 12.25;
    const deviation = Math.sqrt(lengths.reduce((sum, length) => sum + (length - mean) ** 2, 0) / 3);
    expect(Math.abs(measures.spread.long_axis_mm - deviation)).toBeLessThan(0.15);
  });

  it('is not computed unless it is asked for', async () => {
    expect((await resultsOf(undefined, 'plain')).measures).not.toHaveProperty('spread');
  });
});

describe('volumes', () => {
  const result = (category: string, long: number, short: number) => ({
    category,
    measures: { long_axis_mm: long, short_axis_mm: short } as MeasuresRecord,
  });

  it('are those of the best result of each plane, and null with the reason where one has none', async () => {
    const long = { fileName: 'long.png', results: [result('nodule', 50, 18), result('cyst', 9, 9)] };
    const missing = { category: 'cyst', measures: null, unmeasured: 'no scale' };
    const trans = { fileName: 'trans.png', results: [result('nodule', 22, 18), result('nodule', 9, 9), missing] };
    const planes = ['long.png', 'trans.png'] as const;
    const volumes = await writeVolumes(dir, [long, trans], ['nodule', 'cyst', 'liver']);
    expect(volumes).toEqual([
      { category: 'nodule', planes, volume_ml: 10.367, diameters_mm: [50, 22, 18], agreement: 1 },
      { category: 'cyst', planes, volume_ml: null, unmeasured: 'trans.png: no scale' },
      { category: 'liver', planes, volume_ml: null, unmeasured: 'long.png: it was not found' },
    ]);
    expect(JSON.parse(await readFile(join(dir, 'volumes.json'), 'utf8'))).toEqual(volumes);
  });
});
