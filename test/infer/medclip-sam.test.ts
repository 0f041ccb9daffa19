import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import type { BinaryMask, RasterImage } from '../../src/imaging/index.js';
import { brighterCluster, largestComponents, levelsOf, resizeByCorner } from '../../src/infer/medclip-sam/coarse-mask.js';
import {
  informationOfPatches,
  LargestComponentMasker,
  SaliencyDetector,
  type SaliencyOptions,
} from '../../src/infer/medclip-sam/index.js';
import { inference } from '../../src/nn/index.js';
import { biomedClipConfigs, loadBiomedClip, loadBiomedClipModel, readModelConfig } from '../../src/pretrained/index.js';
import { centreCrop, clipPixels } from '../../src/processing/index.js';
import { Rng } from '../../src/util/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { expectError } from '../support/expect-error.js';
import { fixturePath, GoldenCase } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { writeTinyBiomedClip } from '../support/tiny-biomed-clip.js';

useBackend();

const dir = temporaryFolder('medclip-sam');

/** A detector of random weights whose vocabulary is "a lesion". */
async function detector(options: SaliencyOptions = {}): Promise<SaliencyDetector> {
  await writeTinyBiomedClip(dir);
  return new SaliencyDetector(await loadBiomedClip(dir), { layer: 0, steps: 3, copies: 2, ...options });
}

function noisyImage(width: number, height: number): RasterImage {
  const rng = Rng.seeded(7);
  return { width, height, data: Uint8Array.from({ length: width * height * 3 }, () => rng.int(256)) };
}

function maskOf(rows: readonly string[]): BinaryMask {
  return { width: rows[0]?.length ?? 0, height: rows.length, data: Uint8Array.from(rows.join(''), (c) => Number(c === '#')) };
}

describe('the information of patches', () => {
  it('equals that of the authors’ code, with the noise given', async () => {
    const golden = await GoldenCase.read('biomed-clip');
    const folder = fixturePath('biomed-clip');
    const model = await loadBiomedClipModel(folder, await readModelConfig(folder, biomedClipConfigs));
    model.setTrainable(false);
    const [first, ids] = [golden.image('in.pixel_values'), golden.tensor<tf.Tensor2D>('in.input_ids')];
    const pixelValues = tf.slice(first, [0, 0, 0, 0], [1, 40, 40, 3]);
    const textFeatures = model.text.forward({ inputIds: tf.slice(ids, [0, 0], [1, 7]) }, inference);
    const given = golden.tensor<tf.Tensor4D>('in.noise');
    const [steps, copies, tokens, channels] = given.shape;
    const noise = (step: number) =>
      tf.reshape(tf.slice(given, [step, 0, 0, 0], [1, copies, tokens, channels]), [copies, tokens, channels]) as tf.Tensor3D;
    const inputs = { pixelValues, textFeatures };
    const actual = informationOfPatches(model, inputs, { layer: 0, beta: 0.5, steps, copies }, noise);
    await expectClose(actual, golden.tensor('out.saliency'), 1e-4);
    const leak = await leakOf(() =>
      informationOfPatches(model, inputs, { layer: 0, beta: 0.5, steps: 2, copies }, noise).dispose(),
    );
    expect(leak).toBe(0);
  });
});

describe('SaliencyDetector', () => {
  it('finds the same again, and leaves no tensor', async () => {
    const finder = await detector();
    const image = noisyImage(40, 32);
    const [first] = await finder.detect(image, ['a lesion']);
    const leak = await leakOf(async () => expect((await finder.detect(image, ['a lesion']))[0]).toEqual(first));
    expect(leak).toBe(0);
    expect(first).toMatchObject({ phrase: 'a lesion', score: 1 });
    finder.dispose();
  });

  it('finds nothing outside the crop that it sees, unless in the published form, which stretches the crop’s map', async () => {
    const image = noisyImage(96, 32);
    const [own, published] = [await detector(), await detector({ asPublished: true })];
    const [mask, stretched] = [await own.coarseMask(image, 'lesion'), await published.coarseMask(image, 'lesion')];
    const columns = (m: BinaryMask) => [...m.data.keys()].filter((i) => m.data[i] === 1).map((i) => i % m.width);
    expect(Math.min(...columns(mask))).toBeGreaterThanOrEqual(32);
    expect(Math.max(...columns(mask))).toBeLessThan(64);
    const spread = (m: BinaryMask) => Math.max(...columns(m)) - Math.min(...columns(m));
    expect(spread(stretched)).toBeGreaterThan(2 * spread(mask));
    own.dispose();
    published.dispose();
  });

  it('refuses sentences without words or of too many tokens, settings out of range, and use after disposal', async () => {
    const finder = await detector();
    const image = noisyImage(32, 32);
    await expectError(finder.detect(image, ['  ']), { code: 'E_PROMPT_TEXT', where: 'prompt' });
    await expectError(finder.detect(image, ['a lesion '.repeat(130)]), {
      code: 'E_PROMPT_TOO_LONG',
      what: '262 tokens, the model takes 6',
    });
    finder.dispose();
    await expectError(finder.detect(image, ['lesion']), { code: 'E_NOT_READY' });
    const unused = Array.from({ length: 99 }, (_, i) => `[unused${i}]\n`).join('');
    await writeFile(join(dir, 'vocab.txt'), `[PAD]\n${unused}[UNK]\n[CLS]\n[SEP]\na\n`);
    await expectError(loadBiomedClip(dir), {
      code: 'E_MODEL_DAMAGED',
      where: 'vocab.txt',
      what: '[CLS] is number 101, as in BERT uncased, which is not PubMedBERT',
    });
    await expectError(detector({ layer: 2 }), { code: 'E_OPTION_VALUE', what: 'a layer from 0 to 1, got 2' });
    await expectError(detector({ copies: 0 }), { code: 'E_OPTION_VALUE', what: 'copies' });
  });
});

describe('what CLIP is shown', () => {
  it('is the centre of an image whose shorter side is the model’s', async () => {
    expect(centreCrop({ width: 500, height: 300 }, 224)).toEqual({ resized: { width: 373, height: 224 }, left: 74, top: 0 });
    expect(centreCrop({ width: 300, height: 500 }, 224)).toEqual({ resized: { width: 224, height: 373 }, left: 0, top: 74 });
    // The left half is black, the right one white: the crop of a wide image has its edge in the middle.
    const image = {
      width: 64,
      height: 16,
      data: Uint8Array.from({ length: 64 * 16 * 3 }, (_, i) => (Math.floor(i / 3) % 64 < 32 ? 0 : 255)),
    };
    const pixels = clipPixels(image, 16);
    const row = (await pixels.data<'float32'>()).slice(0, 16 * 3).filter((_, i) => i % 3 === 0);
    expect(row[0]).toBeCloseTo(-0.48145466 / 0.26862954, 5);
    expect(row[7]).toBeCloseTo(row[0] as number, 5);
    expect(row[8]).toBeCloseTo((1 - 0.48145466) / 0.26862954, 5);
  });
});

describe('the coarse mask', () => {
  it('has the brighter of two clusters, split where k-means converges from any start', () => {
    const rng = Rng.seeded(3);
    const data = Uint8Array.from({ length: 900 }, (_, i) =>
      Math.max(0, Math.min(255, Math.round(rng.normal(i % 3 === 0 ? 180 : 60, 20)))),
    );
    const { data: inside } = brighterCluster({ width: 30, height: 30, data });
    const mean = (wanted: number) => {
      const own = [...data].filter((_, i) => inside[i] === wanted);
      return own.reduce((sum, value) => sum + value, 0) / own.length;
    };
    const middle = (mean(0) + mean(1)) / 2;
    expect([...data].every((value, i) => Number(value > middle) === inside[i])).toBe(true);
    expect(Math.abs(mean(1) - 180)).toBeLessThan(5);
  });

  it('is empty where there is one level alone, or no number', () => {
    expect(brighterCluster({ width: 2, height: 2, data: new Uint8Array(4).fill(9) }).data.includes(1)).toBe(false);
    expect(levelsOf(new Float32Array(4).fill(3), { width: 2, height: 2 })).toBeUndefined();
    expect(levelsOf(Float32Array.of(0, Number.NaN, 1, 2), { width: 2, height: 2 })).toBeUndefined();
    expect([...(levelsOf(Float32Array.of(-1, 0, 1, 3), { width: 2, height: 2 })?.data ?? [])]).toEqual([0, 64, 128, 255]);
  });

  it('keeps the largest part, corners joined, and every other of its size', () => {
    const mask = maskOf(['##...#', '..#...', '......', '###...']);
    expect([...largestComponents(mask).data]).toEqual([...maskOf(['##....', '..#...', '......', '###...']).data]);
    expect(largestComponents(maskOf(['...'])).data.includes(1)).toBe(false);
  });

  it('is resized as OpenCV does: by the corner of a pixel, not its centre', () => {
    const wide = resizeByCorner({ width: 3, height: 1, data: Uint8Array.of(1, 2, 3) }, { width: 4, height: 2 });
    expect([...wide.data]).toEqual([1, 1, 2, 3, 1, 1, 2, 3]);
  });

  it('of SAM is reduced to its largest part too', async () => {
    const mask = maskOf(['##.#']);
    const masker = { setImage: async () => {}, predictBoxes: async () => [{ mask, score: 0.5 }], dispose() {} };
    const [answer] = await new LargestComponentMasker(masker).predictBoxes([[0, 0, 4, 1]]);
    expect(answer).toEqual({ mask: maskOf(['##..']), score: 0.5 });
  });
});
