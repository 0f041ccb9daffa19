import { describe, expect, it } from '@jest/globals';
import { paddedImage } from '../../src/infer/square-image.js';
import { ImageProcessor } from '../../src/processing/index.js';
import { useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { GoldenCase } from '../support/golden.js';

useBackend();

describe('how SAM takes an image', () => {
  it('is as in the reference: sizes, pixels and padding', async () => {
    const golden = await GoldenCase.read('sam-images');
    const imageProcessor = new ImageProcessor({
      do_resize: true,
      resample: 2,
      size: { longest_edge: 60 },
      do_rescale: true,
      rescale_factor: 1 / 255,
      do_normalize: true,
      image_mean: [0.485, 0.456, 0.406],
      image_std: [0.229, 0.224, 0.225],
    });
    const square = paddedImage(imageProcessor, 64);
    const names = golden.names('in.');
    expect(names.length).toBe(5);
    for (const i of names) {
      const { data, shape } = golden.array(`in.${i}`);
      const [height = 0, width = 0] = shape;
      const { pixelValues, placed } = square.prepare({ width, height, data: Uint8Array.from(data as ArrayLike<number>) });
      expect([placed.height, placed.width]).toEqual([...golden.array(`out.placed.${i}`).data].map(Number));
      await expectClose(pixelValues, golden.image(`out.${i}`), 1e-6);
    }
  });
});
