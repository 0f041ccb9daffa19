import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import type { RasterImage } from '../../src/imaging/index.js';
import { biomedParsePixels } from '../../src/infer/biomed-parse/biomed-parse-predictor.js';
import { BiomedParsePredictor, GroundedSegmenter } from '../../src/infer/index.js';
import { biomedParseConfigs, loadBiomedParse, loadBiomedParseModel, readModelConfig } from '../../src/pretrained/index.js';
import { readMaskDistributions } from '../../src/processing/index.js';
import type { ClipTokenizer } from '../../src/prompts/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectClose, relativeError } from '../support/compare.js';
import { expectError } from '../support/expect-error.js';
import { fixtureJson, fixturePath, GoldenCase } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { writeTinyBiomedParse } from '../support/tiny-biomed-parse.js';

useBackend();

const dir = temporaryFolder('biomed-parse-predictor');

function imageOf(golden: GoldenCase): RasterImage {
  const { data, shape } = golden.array('in.image');
  const [height, width] = shape as [number, number];
  return { width, height, data: Uint8Array.from(data) };
}

function stripes(width: number, height: number): RasterImage {
  return { width, height, data: Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * i) % 251) };
}

/** The model of the fixture, whose vocabulary has no words: every phrase has the fixture's tokens. */
async function published(golden: GoldenCase, distributions?: Awaited<ReturnType<typeof readMaskDistributions>>, rejectBelow = 0) {
  const folder = fixturePath('biomed-parse');
  const config = await readModelConfig(folder, biomedParseConfigs);
  const model = await loadBiomedParseModel(fixturePath('biomed-parse', 'published.pt'), config);
  const ids = Int32Array.from(golden.array('in.ids').data);
  const tokenizer = { encode: () => ids } as unknown as ClipTokenizer;
  return new BiomedParsePredictor({ model, config, tokenizer, distributions }, { rejectBelow });
}

describe('BiomedParsePredictor', () => {
  it('gives the masks of the authors’ code for an image of another shape', async () => {
    const golden = await GoldenCase.read('biomed-parse-image');
    const image = imageOf(golden);
    const predictor = await published(golden);
    const [answer] = await predictor.predict(image, ['anything']);
    const probability = golden.array('out.probability').data;
    const expected = Array.from(probability, (value) => Number(value > 0.5));
    expect(expected.filter((inside) => inside === 1).length).toBeGreaterThan(50);
    expect(Array.from(answer?.mask.data ?? [])).toEqual(expected);
    const inside = Array.from(probability).filter((value) => value > 0.5);
    expect(relativeError([answer?.score as number], [inside.reduce((a, b) => a + b, 0) / inside.length])).toBeLessThan(1e-4);
    expect(answer).not.toHaveProperty('pValue');
    predictor.dispose();
  });

  it('shows the model the image that the authors show theirs', async () => {
    const golden = await GoldenCase.read('biomed-parse-image');
    const pixels = biomedParsePixels(imageOf(golden), 64);
    const levels = tf.tidy(() => {
      const std = tf.tensor1d([58.395, 57.12, 57.375]);
      return tf.add(tf.mul(tf.squeeze(pixels, [0]), std), tf.tensor1d([123.675, 116.28, 103.53]));
    });
    await expectClose(levels, golden.tensor('out.resized').toFloat(), 1e-6);
  });

  it('tests masks by the published distributions where there are some, and rejects below the threshold', async () => {
    const golden = await GoldenCase.read('biomed-parse-image');
    const image = imageOf(golden);
    const distributions = await readMaskDistributionsOfFixture();
    const { own } = fixtureJson('biomed-parse-image', 'p-values.json') as Record<string, Record<string, number>>;
    const expected = own?.['tumor'] as number;
    for (const [rejectBelow, area] of [
      [expected - 0.01, true],
      [expected + 0.01, false],
    ] as const) {
      // biome-ignore format: one line
      const predictor = await published(golden, distributions, rejectBelow);
      const [known, unknown] = await predictor.predict(image, ['tumor', 'kidney']);
      expect(relativeError([known?.pValue as number], [expected])).toBeLessThan(1e-4);
      expect(known?.mask.data.includes(1)).toBe(area);
      // Of a structure without distributions nothing is known, so that it is never rejected.
      expect(unknown).not.toHaveProperty('pValue');
      expect(unknown?.mask.data.includes(1)).toBe(true);
      predictor.dispose();
    }
  });

  it('answers phrases one by one, whatever else is asked, and leaves no tensor', async () => {
    await writeTinyBiomedParse(join(dir, 'tiny'));
    const predictor = await BiomedParsePredictor.load(join(dir, 'tiny'));
    const image = stripes(40, 32);
    const [alone] = await predictor.predict(image, ['lesion']);
    const leak = await leakOf(async () => {
      // More often than it takes to record a pass as a graph.
      for (let i = 0; i < 5; i++) {
        const [cyst, again] = await predictor.predict(image, ['a large cyst', 'lesion']);
        expect(again).toEqual(alone);
        expect(cyst?.mask.data.length).toBe(40 * 32);
      }
    });
    expect(leak).toBe(0);
    const changed = await leakOf(() => predictor.predict(stripes(31, 50), ['lesion']));
    expect(changed).toBe(0);
    predictor.dispose();
  });

  it('is a segmenter of both halves, whose boxes enclose the masks', async () => {
    await writeTinyBiomedParse(join(dir, 'tiny'));
    const predictor = await BiomedParsePredictor.load(join(dir, 'tiny'));
    const segmenter = new GroundedSegmenter(predictor, predictor.masker());
    const [image, other] = [stripes(40, 32), stripes(24, 36)];
    const phrases = ['lesion', 'cyst', 'a mass'];
    const answers = await predictor.predict(image, phrases);
    // At the same time, as a server may be asked.
    const [found, elsewhere] = await Promise.all([segmenter.segment(image, phrases), segmenter.segment(other, 'lesion')]);
    const full = answers.filter(({ mask }) => mask.data.includes(1));
    expect(full.length).toBeGreaterThan(0);
    expect(found.map(({ phrase, mask, maskScore }) => ({ phrase, mask, score: maskScore }))).toEqual(full);
    expect(elsewhere[0]?.mask).toEqual((await predictor.predict(other, ['lesion']))[0]?.mask);
    segmenter.dispose();
  });

  it('refuses boxes as prompts, empty and long phrases, thresholds out of range, and use after disposal', async () => {
    await writeTinyBiomedParse(join(dir, 'tiny'));
    const predictor = await BiomedParsePredictor.load(join(dir, 'tiny'));
    const masker = predictor.masker();
    const image = stripes(32, 32);
    await masker.setImage(image);
    await expectError(masker.predictBoxes([[1, 2, 8, 7]]), { code: 'E_PROMPT_INVALID', what: 'takes text and nothing else' });
    await expectError(predictor.predict(image, ['lesion', ' ']), { code: 'E_PROMPT_TEXT' });
    await expectError(predictor.predict(image, ['a very long phrase about it']), {
      code: 'E_PROMPT_TOO_LONG',
      what: '24 tokens, the model takes 20',
    });
    await expectError(predictor.predict({ width: 2, height: 2, data: new Uint8Array(3) }, ['lesion']), {
      code: 'E_SHAPE',
    });
    predictor.dispose();
    await expectError(predictor.predict(image, ['lesion']), { code: 'E_NOT_READY' });
    const parts = await loadBiomedParse(join(dir, 'tiny'));
    expectError(() => new BiomedParsePredictor(parts, { rejectBelow: 2 }), { code: 'E_OPTION_VALUE', where: 'rejectBelow' });
    parts.model.dispose();
  });
});

async function readMaskDistributionsOfFixture() {
  const distributions = fixtureJson('biomed-parse-image', 'distributions.json');
  await writeFile(join(dir, 'target_dist.json'), JSON.stringify(distributions));
  return readMaskDistributions(dir);
}
