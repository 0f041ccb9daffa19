import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import type { RasterImage } from '../../src/imaging/index.js';
import { CamDetector, type CamDetectorOptions } from '../../src/infer/index.js';
import { crfMarginals, refineByCrf } from '../../src/infer/medclip-sam/dense-crf.js';
import { greyOfJetOverlay } from '../../src/infer/medclip-sam/jet-overlay.js';
import { leadingChannels } from '../../src/infer/medclip-sam/leaders.js';
import { type CamInputs, gradientOfChannels, scoreCam } from '../../src/infer/medclip-sam/score-cam.js';
import type { BiomedClip } from '../../src/models/biomed-clip/index.js';
import { inference } from '../../src/nn/index.js';
import { biomedClipConfigs, loadBiomedClip, loadBiomedClipModel, readModelConfig } from '../../src/pretrained/index.js';
import { Rng } from '../../src/util/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { expectError } from '../support/expect-error.js';
import { fixturePath, GoldenCase } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { writeTinyBiomedClip } from '../support/tiny-biomed-clip.js';

useBackend();

const dir = temporaryFolder('cam-detector');

/** Relative to the largest value, float32 on both sides. */
const TOLERANCE = 1e-4;

async function goldenModel(golden: GoldenCase): Promise<{ model: BiomedClip; inputs: CamInputs }> {
  const folder = fixturePath('biomed-clip');
  const model = await loadBiomedClipModel(folder, await readModelConfig(folder, biomedClipConfigs));
  model.setTrainable(false);
  const inputIds = golden.tensor<tf.Tensor2D>('in.input_ids');
  return {
    model,
    inputs: { pixelValues: golden.image('in.pixel_values'), textFeatures: model.text.forward({ inputIds }, inference) },
  };
}

function goldenImage(golden: GoldenCase): RasterImage {
  const { data, shape } = golden.array('in.image');
  return { width: shape[1] ?? 0, height: shape[0] ?? 0, data: Uint8Array.from(data as ArrayLike<number>) };
}

function noisyImage(width: number, height: number): RasterImage {
  const rng = Rng.seeded(7);
  return { width, height, data: Uint8Array.from({ length: width * height * 3 }, () => rng.int(256)) };
}

async function detector(options: CamDetectorOptions = {}): Promise<CamDetector> {
  await writeTinyBiomedClip(dir);
  return new CamDetector(await loadBiomedClip(dir), { channels: 4, batch: 3, ...options });
}

describe('gScoreCAM', () => {
  it.each(['norm1', 'norm2'] as const)('gives the map of the authors’ code at %s, and leaves no tensor', async (norm) => {
    const golden = await GoldenCase.read('medclip-sam');
    const { model, inputs } = await goldenModel(golden);
    const compute = () => scoreCam(model, inputs, { norm, channels: 5, batch: 2 });
    await expectClose(tf.tensor(await compute(), [5, 5]), golden.tensor(`out.${norm}.map`), TOLERANCE);
    expect(await leakOf(compute)).toBe(0);
  });

  it('has no gradient at patches where the published form reads it, and the reference’s one before the last attention', async () => {
    const golden = await GoldenCase.read('medclip-sam');
    const { model, inputs } = await goldenModel(golden);
    const published = gradientOfChannels(model, inputs, 'norm2').gradient;
    await expectClose(published, golden.tensor('out.norm2.gradient'), TOLERANCE);
    const [token, ...patches] = await tf
      .unstack(tf.squeeze(tf.max(tf.abs(published), 2)))
      .reduce(
        async (all, value) => [...(await all), (await value.data<'float32'>())[0] as number],
        Promise.resolve<number[]>([]),
      );
    expect(token).toBeGreaterThan(0.01);
    expect(patches).toEqual(new Array(25).fill(0));

    const corrected = gradientOfChannels(model, inputs, 'norm1').gradient;
    await expectClose(corrected, golden.tensor('out.norm1.gradient'), TOLERANCE);
    const least = tf.min(tf.max(tf.abs(corrected), 2));
    expect((await least.data<'float32'>())[0]).toBeGreaterThan(0);
  });

  it('keeps of channels without gradients those that torch keeps, which no value decides', async () => {
    const golden = await GoldenCase.read('medclip-sam');
    const kept = leadingChannels(new Float32Array(768), 300).sort((a, b) => a - b);
    expect(kept).toEqual(Array.from(golden.array('out.ties').data as Int32Array));
    expect(leadingChannels(Float32Array.of(1, 4, 2, 3), 2).sort()).toEqual([1, 3]);
    expect(leadingChannels(Float32Array.of(1, 1), 3)).toEqual([0, 1]);
  });
});

describe('the dense conditional random field', () => {
  it('gives the probabilities of the reference, and moves a border to the edge of the image', async () => {
    const golden = await GoldenCase.read('medclip-sam');
    const image = goldenImage(golden);
    const probabilities = golden.array('in.probabilities').data as Float32Array;
    const expected = golden.tensor<tf.Tensor2D>('out.marginals');
    const marginals = crfMarginals(image, probabilities);
    await expectClose(tf.tensor(marginals, expected.shape), expected, TOLERANCE);
    const { data } = refineByCrf(image, probabilities);
    expect([...data]).toEqual([...(golden.array('out.marginals').data as Float32Array)].map((inside) => Number(inside > 0.5)));
    // Pixels of the bright ellipse, of which the blurred guess misses some.
    const bright = Array.from({ length: data.length }, (_, i) => (image.data[3 * i] as number) > 105);
    const agreeing = (inside: ArrayLike<number>) =>
      bright.filter((isBright, i) => isBright === (inside[i] as number) > 0.5).length;
    expect(agreeing(data)).toBeGreaterThan(agreeing(probabilities));
  });
});

describe('the grey levels of a JET overlay', () => {
  it('are those of the published figure, and fall where salience rises above three quarters', async () => {
    const golden = await GoldenCase.read('medclip-sam');
    const grey = greyOfJetOverlay(goldenImage(golden), golden.array('in.probabilities').data as Float32Array);
    const expected = golden.array('out.grey').data as Float32Array;
    // One level: readers of pictures round grey levels differently.
    expect(Math.max(...grey.map((value, i) => Math.abs(value - (expected[i] as number))))).toBeLessThan(1.01 / 255);
    const black = { width: 4, height: 1, data: new Uint8Array(12) };
    const [low, middle, high, full] = greyOfJetOverlay(black, Float32Array.of(0, 0.6, 0.9, 1)) as unknown as number[];
    expect(middle).toBeGreaterThan(high as number);
    expect(high).toBeGreaterThan(full as number);
    expect(full).toBeGreaterThan(low as number);
  });
});

describe('CamDetector', () => {
  it('finds the same again, leaves no tensor, and finds nothing outside the crop unless in the published form', async () => {
    const image = noisyImage(96, 32);
    const [own, published] = [await detector(), await detector({ asPublished: true })];
    const [mask, stretched] = [await own.coarseMask(image, 'a lesion'), await published.coarseMask(image, 'a lesion')];
    const columns = [...mask.data.keys()].filter((i) => mask.data[i] === 1).map((i) => i % 96);
    expect(columns.length).toBeGreaterThan(0);
    expect(Math.min(...columns)).toBeGreaterThanOrEqual(32);
    expect(Math.max(...columns)).toBeLessThan(64);
    expect([...stretched.data.keys()].some((i) => stretched.data[i] === 1 && (i % 96 < 32 || i % 96 >= 64))).toBe(true);
    const first = await own.detect(image, ['a lesion']);
    expect(first).toMatchObject([{ phrase: 'a lesion', score: 1 }]);
    expect(await leakOf(async () => expect(await own.detect(image, ['a lesion'])).toEqual(first))).toBe(0);
    own.dispose();
    published.dispose();
    await expectError(own.detect(image, ['lesion']), { code: 'E_NOT_READY', where: 'CamDetector' });
  });

  it('refuses numbers that are none of channels', async () => {
    await expectError(detector({ channels: 0 }), { code: 'E_OPTION_VALUE', where: 'CamDetector', what: 'channels' });
    await expectError(detector({ batch: 1.5 }), { code: 'E_OPTION_VALUE', what: 'batch' });
  });
});
