import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { type BinaryMask, maskLogitsToBinary, type RasterImage } from '../../src/imaging/index.js';
import { drawSupports, UniverSegPredictor } from '../../src/infer/index.js';
import { inference } from '../../src/nn/index.js';
import { loadUniverSeg, type UniverSegParts } from '../../src/pretrained/index.js';
import { greyInput, maskInput } from '../../src/processing/index.js';
import { Rng } from '../../src/util/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { relativeError } from '../support/compare.js';
import { expectError } from '../support/expect-error.js';
import { fixturePath, GoldenCase } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

useBackend();

const SIDE = 16;
const dir = temporaryFolder('exemplars');

beforeAll(async () => {
  await copyFile(fixturePath('universeg', 'published.pt'), join(dir, 'weights.pt'));
  const config = { model_type: 'universeg', encoder_blocks: [[4, 6], [5, 7], [8, 9]], decoder_blocks: [[6, 5], [7, 4]] }; // biome-ignore format: one line
  await writeFile(join(dir, 'config.json'), JSON.stringify({ ...config, image_size: SIDE }));
});

function image(seed: number, width = 23, height = 19): RasterImage {
  const rng = Rng.seeded(seed);
  return { width, height, data: Uint8Array.from({ length: width * height * 3 }, () => rng.int(200)) };
}

function disc({ width, height }: { width: number; height: number }, radius = 5): BinaryMask {
  const inside = (i: number) => Math.hypot((i % width) - width / 2, Math.floor(i / width) - height / 2) < radius;
  return { width, height, data: Uint8Array.from({ length: width * height }, (_, i) => Number(inside(i))) };
}

const EXEMPLARS = [image(1), image(2, 31, 17), image(3)];
const MASKS = EXEMPLARS.map((image, i) => disc(image, 4 + i));
const QUERY = image(9, 41, 29);

/** The model's own logits for the query, by some of the exemplars. */
function logitsBy({ model }: UniverSegParts, indices: readonly number[]): Promise<Float32Array> {
  const maps = (of: (index: number) => Float32Array) =>
    tf.tensor5d(indices.flatMap((index) => [...of(index)]), [1, indices.length, 1, SIDE, SIDE]); // biome-ignore format: one line
  const images = maps((index) => greyInput(EXEMPLARS[index] as RasterImage, SIDE));
  const masks = maps((index) => maskInput(MASKS[index] as BinaryMask, SIDE));
  return model.forward(tf.tensor4d(greyInput(QUERY, SIDE), [1, 1, SIDE, SIDE]), images, masks, inference).data<'float32'>();
}

describe('the inputs of UniverSeg', () => {
  it('are those of Pillow and a min-max, for an image and for a mask', async () => {
    const golden = await GoldenCase.read('universeg-images');
    const { data, shape } = golden.array('in.image');
    const [height = 0, width = 0] = shape;
    const image = { width, height, data: Uint8Array.from(data as ArrayLike<number>) };
    expect(relativeError(greyInput(image, 32), golden.array('out.grey').data as Float32Array)).toBeLessThan(1e-6);
    const mask = { width, height, data: Uint8Array.from(golden.array('in.mask').data as ArrayLike<number>) };
    expect([...maskInput(mask, 32)]).toEqual(Array.from(golden.array('out.mask').data as ArrayLike<number>));
  });

  it('of an image of one brightness are 0, not NaN', () => {
    expect([...greyInput({ width: 3, height: 2, data: new Uint8Array(18).fill(80) }, 4)]).toEqual(Array(16).fill(0));
  });
});

describe('draws of the support', () => {
  it('depend on the seed and their number alone, and take no exemplar twice', () => {
    const draws = drawSupports(20, { size: 6, draws: 5, seed: 3 });
    expect(drawSupports(20, { size: 6, draws: 2, seed: 3 })).toEqual(draws.slice(0, 2));
    expect(draws.every((draw) => new Set(draw).size === 6 && draw.every((index) => index >= 0 && index < 20))).toBe(true);
    expect(new Set(draws.map((draw) => [...draw].sort().join())).size).toBe(5);
    expect(drawSupports(20, { size: 6, seed: 4 })).not.toEqual(draws.slice(0, 1));
    expect(drawSupports(3)).toEqual([[0, 1, 2]]);
  });

  it('that cannot be made are refused', () => {
    const code = 'E_OPTION_VALUE';
    expectError(() => drawSupports(3, { size: 4 }), {
      code,
      where: 'support size',
      what: '4 exemplars were asked for, and there are 3',
    });
    expectError(() => drawSupports(3, { draws: 2 }), { code, where: 'support draws', what: '2 draws of all 3' });
    expectError(() => drawSupports(3, { size: 0 }), { code, where: 'support size' });
    expectError(() => drawSupports(3, { size: 2, draws: 1.5 }), { code, where: 'support draws' });
  });
});

describe('UniverSegPredictor', () => {
  it("gives the model's mask on the image's own grid, whether or not exemplars stay encoded", async () => {
    const parts = await loadUniverSeg(dir);
    const expected = await logitsBy(parts, [0, 1, 2]);
    for (const keptBytes of [undefined, 0]) {
      const predictor = new UniverSegPredictor(parts, keptBytes === undefined ? {} : { keptBytes });
      await predictor.setSupport(EXEMPLARS, MASKS);
      const { mask, score, logits } = await predictor.predict(QUERY);
      expect(relativeError(logits.data, expected)).toBeLessThan(1e-5);
      expect(mask).toEqual(maskLogitsToBinary({ width: SIDE, height: SIDE, data: logits.data }, QUERY));
      expect([mask.width, mask.height, mask.data.includes(1), mask.data.includes(0)]).toEqual([41, 29, true, true]);
      const inside = [...expected].filter((value) => value > 0).map((value) => 1 / (1 + Math.exp(-value)));
      expect(score).toBeCloseTo(inside.reduce((a, b) => a + b, 0) / inside.length, 4);
      predictor.forget();
    }
    parts.model.dispose();
  });

  it('averages the probabilities of several draws', async () => {
    const parts = await loadUniverSeg(dir);
    const options = { size: 2, draws: 3, seed: 5 };
    const draws = drawSupports(3, options);
    const each = await Promise.all(draws.map((draw) => logitsBy(parts, draw)));
    const mean = each[0]?.map((_, i) => each.reduce((sum, own) => sum + 1 / (1 + Math.exp(-(own[i] as number))) / 3, 0));
    const predictor = new UniverSegPredictor(parts);
    await predictor.setSupport(EXEMPLARS, MASKS, options);
    const { logits } = await predictor.predict(QUERY);
    expect(relativeError(logits.data.map((value) => 1 / (1 + Math.exp(-value))), mean as Float32Array)).toBeLessThan(1e-5); // biome-ignore format: one line
    expect(relativeError(logits.data, each[0] as Float32Array)).toBeGreaterThan(1e-3);
    predictor.dispose();
  });

  it('leaves no tensor behind in 50 images and three supports, and none at all once disposed', async () => {
    const leak = await leakOf(async () => {
      const predictor = await UniverSegPredictor.load(dir);
      const counts: number[] = [];
      for (let i = 0; i < 50; i++) {
        if (i % 20 === 0) await predictor.setSupport(EXEMPLARS, MASKS, { size: 2, draws: 2 });
        await predictor.predict(image(100 + i));
        counts.push(tf.memory().numTensors);
      }
      expect(new Set(counts).size).toBe(1);
      predictor.dispose();
    });
    expect(leak).toBe(0);
  });

  it('refuses exemplars that show nothing, do not match, or include the image itself', async () => {
    const predictor = await UniverSegPredictor.load(dir);
    await expectError(predictor.predict(QUERY), { code: 'E_NOT_READY', what: 'no support was set' });
    await expectError(predictor.setSupport([], []), { code: 'E_NO_IMAGES', where: 'exemplars' });
    const blank = MASKS.map(({ width, height, data }) => ({ width, height, data: new Uint8Array(data.length) }));
    await expectError(predictor.setSupport(EXEMPLARS, blank), { code: 'E_MASK_EMPTY', where: 'exemplars' });
    await expectError(predictor.setSupport(EXEMPLARS, MASKS.slice(1)), { code: 'E_OPTION_VALUE', what: '3 images and 2 masks' });
    await expectError(
      predictor.setSupport(
        EXEMPLARS,
        [...MASKS].reverse().map((mask, i) => (i === 0 ? disc(QUERY) : mask)),
      ),
      {
        code: 'E_MASK_SIZE',
        where: 'masks[0]',
        what: 'the mask is 41x29, its image 23x19',
      },
    );
    await predictor.setSupport(EXEMPLARS, MASKS);
    const copy = EXEMPLARS[1] as RasterImage;
    await expectError(predictor.predict({ ...copy, data: Uint8Array.from(copy.data) }), { code: 'E_QUERY_IN_SUPPORT' });
    predictor.dispose();
    await expectError(predictor.predict(QUERY), { code: 'E_NOT_READY', what: 'it was disposed' });
  });
});
