import { describe, expect, it, jest } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import type { RasterImage } from '../../src/imaging/index.js';
import { resizeImage } from '../../src/imaging/index.js';
import { type MedSamOptions, MedSamPredictor } from '../../src/infer/index.js';
import { loadSamMasker } from '../../src/pretrained/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { fixturePath } from '../support/golden.js';

useBackend();

const SIDE = 80;

/** A ramp from dark on the left to bright on the right, a little brighter below; no value is 0 or 255. */
function ramp(width: number, height: number): RasterImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      data.fill(40 + Math.round((120 * x) / width) + (y > height / 2 ? 10 : 0), (y * width + x) * 3, (y * width + x + 1) * 3);
  return { width, height, data };
}

/** What the encoder is given for an image, and the masks for a box. */
async function fed(image: RasterImage, options: MedSamOptions = {}) {
  const parts = await loadSamMasker(fixturePath('sam-windows'));
  const encode = jest.spyOn(parts.model, 'encodeImage');
  const pixels: { values: Float32Array; shape: number[] }[] = [];
  encode.mockImplementation((pixelValues) => {
    pixels.push({ values: pixelValues.dataSync<'float32'>().slice(), shape: pixelValues.shape });
    return { embeddings: tf.zeros([1, 5, 5, parts.config.vision.outputChannels]) } as ReturnType<typeof parts.model.encodeImage>;
  });
  const predictor = new MedSamPredictor(parts, options);
  await predictor.setImage(image);
  const [mask] = await predictor.predictBoxes([[1, 1, image.width - 1, image.height - 1]]);
  predictor.dispose();
  return { ...(pixels[0] as (typeof pixels)[number]), mask: mask?.mask };
}

describe('MedSAM', () => {
  it('is given the whole square, stretched, from 0 to 1 by the image’s own darkest and brightest value', async () => {
    const image = ramp(30, 60);
    const { values, shape, mask } = await fed(image);
    expect(shape).toEqual([1, SIDE, SIDE, 3]);
    expect(Math.min(...values)).toBe(0);
    expect(Math.max(...values)).toBe(1);
    const { data } = resizeImage(image, { width: SIDE, height: SIDE }, 'bicubic');
    const [low, high] = [Math.min(...data), Math.max(...data)];
    expect(low).toBeGreaterThan(30);
    for (const at of [0, 1234, 5000, 19_199]) expect(values[at]).toBeCloseTo(((data[at] as number) - low) / (high - low), 6);
    // No padding: the last row holds image.
    expect(values[SIDE * SIDE * 3 - 1]).toBeGreaterThan(0.9);
    expect([mask?.width, mask?.height]).toEqual([30, 60]);
  });

  it('takes a black image, which has no range', async () => {
    const { values } = await fed({ width: 4, height: 4, data: new Uint8Array(48) });
    expect(new Set(values)).toEqual(new Set([0]));
  });

  it('as published, is given the image with rows and columns exchanged, by ImageNet’s mean and deviation', async () => {
    const image = ramp(30, 60);
    const { values } = await fed(image, { asPublished: true });
    const { data } = resizeImage(image, { width: SIDE, height: SIDE }, 'bicubic');
    const expected = (y: number, x: number) => ((data[(x * SIDE + y) * 3] as number) / 255 - 0.485) / 0.229;
    for (const [y, x] of [
      [0, 79],
      [79, 0],
      [13, 50],
    ] as const)
      expect(values[(y * SIDE + x) * 3]).toBeCloseTo(expected(y, x), 4);
  });

  it('leaves no tensor', async () => {
    for (const asPublished of [false, true])
      expect(
        await leakOf(async () => {
          const predictor = new MedSamPredictor(await loadSamMasker(fixturePath('sam-windows')), { asPublished });
          await predictor.setImage(ramp(20, 12));
          await predictor.predictBoxes([[1, 1, 9, 9]]);
          predictor.dispose();
        }),
      ).toBe(0);
  });
});
