import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import type { RasterImage } from '../../src/imaging/index.js';
import { SamusPredictor } from '../../src/infer/index.js';
import { inference } from '../../src/nn/index.js';
import { loadSamus } from '../../src/pretrained/index.js';
import { greyImage } from '../../src/processing/index.js';
import { Rng, UsageError } from '../../src/util/index.js';
import { useBackend } from '../support/backend.js';
import { expectError } from '../support/expect-error.js';
import { fixturePath, GoldenCase } from '../support/golden.js';

useBackend();

const WEIGHTS = fixturePath('samus', 'published.pth');
const SIDE = 64;

function noisy(seed: number, width = 41, height = 29): RasterImage {
  const rng = Rng.seeded(seed);
  return { width, height, data: Uint8Array.from({ length: width * height * 3 }, () => rng.int(256)) };
}

/** A predictor, and the pixels that its model was given last. */
async function watched(): Promise<{ predictor: SamusPredictor; pixels: () => number[] }> {
  const { model, config } = await loadSamus(WEIGHTS);
  let seen: number[] = [];
  const encodeImage: typeof model.encodeImage = (pixelValues, context) => {
    seen = [...pixelValues.dataSync()];
    return model.encodeImage(pixelValues, context);
  };
  const watching = Object.create(model, { encodeImage: { value: encodeImage } }) as typeof model;
  return { predictor: new SamusPredictor({ model: watching, config }), pixels: () => seen };
}

describe('the images of SAMUS', () => {
  it('are grey, stretched and in [0, 1] as the authors make them, in three equal channels', async () => {
    const golden = await GoldenCase.read('samus-images');
    const { data, shape } = golden.array('in.image');
    const [height = 0, width = 0] = shape;
    const { predictor, pixels } = await watched();
    await predictor.setImage({ width, height, data: Uint8Array.from(data as ArrayLike<number>) });
    const expected = Array.from(golden.array('out.pixels').data as ArrayLike<number>);
    const given = pixels();
    expect(given.length).toBe(3 * expected.length);
    const levels = expected.map((value, i) => Math.abs(value - (given[3 * i] as number)) * 255);
    // OpenCV rounds grey with fewer bits than Pillow: one level where that meets a half.
    expect(Math.max(...levels)).toBeLessThan(1.01);
    expect(levels.filter((level) => level > 0.5).length).toBeLessThan(expected.length / 50);
    expect(given.every((value, i) => value === given[i - (i % 3)])).toBe(true);
    predictor.dispose();
  });

  it('that are grey already stay what they are', () => {
    const data = Uint8Array.from({ length: 256 * 3 }, (_, i) => Math.floor(i / 3));
    expect(greyImage({ width: 16, height: 16, data }).data).toEqual(data);
  });
});

describe('a SAMUS predictor', () => {
  it('places points on the model’s grid, and its masks on both', async () => {
    const { model, config } = await loadSamus(WEIGHTS);
    const predictor = new SamusPredictor({ model, config });
    expect(predictor.grid).toEqual({ width: SIDE, height: SIDE });
    const image = noisy(1, 128, 32);
    await predictor.setImage(image);
    const [found] = await predictor.predictPoints([{ point: [40, 10], inside: true }]);
    const { data } = greyImage({ ...image });
    expect(data.length).toBe(128 * 32 * 3);
    const pixels = await (async () => {
      const own = await watched();
      await own.predictor.setImage(image);
      const given = own.pixels();
      own.predictor.dispose();
      return given;
    })();
    const logits = tf.tidy(() => {
      const features = model.encodeImage(tf.tensor4d(pixels, [1, SIDE, SIDE, 3]), inference);
      const [points, labels] = [tf.tensor4d([20, 20], [1, 1, 1, 2]), tf.tensor3d([1], [1, 1, 1], 'int32')];
      const { predMasks } = model.decodeMasks({ features, points, labels, multimask: false }, inference);
      const square = predMasks.reshape([1, SIDE / 2, SIDE / 2, 1]) as tf.Tensor4D;
      return tf.image.resizeBilinear(square, [SIDE, SIDE], false, true);
    });
    const own = [...(await logits.data())];
    logits.dispose();
    expect([found?.mask.width, found?.mask.height]).toEqual([128, 32]);
    const inside = Array.from(found?.ownGrid.data ?? []);
    const clear = own.map((value) => Math.abs(value) > 1e-4);
    expect(clear.filter(Boolean).length).toBeGreaterThan(3900);
    expect(inside.filter((value, i) => clear[i] && value !== Number((own[i] as number) > 0))).toEqual([]);
    expect(new Set(inside).size).toBe(2);
    predictor.dispose();
  });

  it('takes the centre of a box, and the side of a point that it lies on', async () => {
    const predictor = await SamusPredictor.load(WEIGHTS);
    await predictor.setImage(noisy(2));
    const [box] = await predictor.predictBoxes([[10, 4, 30, 20]]);
    const [inside, outside] = await predictor.predictPoints([
      { point: [20, 12], inside: true },
      { point: [20, 12], inside: false },
    ]);
    expect(box?.score).toBeCloseTo(inside?.score as number, 6);
    expect(box?.mask).toEqual(inside?.mask);
    expect(Math.abs((inside?.score ?? 0) - (outside?.score ?? 0))).toBeGreaterThan(1e-4);
    expect(await predictor.predictPoints([])).toEqual([]);
    predictor.dispose();
  });

  it('refuses what its weights were not trained on, and points that are not in the image', async () => {
    const predictor = await SamusPredictor.load(WEIGHTS);
    await predictor.setImage(noisy(3));
    const code = 'E_PROMPT_INVALID';
    const point = { points: [[[3, 4]]], labels: [[1]] } as const;
    await expectError(predictor.predict({ boxes: [[1, 2, 9, 8]] }), { code, where: 'boxes', what: 'SAMUS takes points' });
    await expectError(predictor.predict({ ...point, multimask: true }), { code, where: 'multimask' });
    await expectError(predictor.predict({}), { code, what: 'there is none' });
    await expectError(predictor.predict({ points: [[[3, 4]]] }), { code, what: 'points and labels come together' });
    await expect(predictor.predictPoints([{ point: [99, 4], inside: true }])).rejects.toThrow(UsageError);
    await expect(predictor.predictPoints([{ point: [99, 4], inside: true }])).rejects.toThrow('lies outside the image');
    predictor.dispose();
  });

  it('keeps as many tensors over eight images, compiled passes among them, and none when it is freed', async () => {
    const before = tf.memory().numTensors;
    const predictor = await SamusPredictor.load(WEIGHTS);
    const counts: number[] = [];
    for (let i = 0; i < 8; i++) {
      await predictor.setImage(noisy(i, 30 + i, 40));
      await predictor.predictPoints([{ point: [i + 1, 8], inside: true }]);
      counts.push(tf.memory().numTensors);
    }
    expect(new Set(counts.slice(4)).size).toBe(1);
    predictor.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
