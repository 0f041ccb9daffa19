import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import {
  antialiasedWeights,
  bicubicWeights,
  bilinearWeights,
  resizeAntialiased,
  resizeBicubic,
  resizeBilinear,
} from '../../src/ops/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { gradientError } from '../support/finite-difference.js';
import { GoldenCase } from '../support/golden.js';

useBackend();

const modes = { bilinear: resizeBilinear, bicubic: resizeBicubic, antialiased: resizeAntialiased };
const sizes = ['up', 'down', 'mixed', 'one', 'same'];

describe.each(Object.entries(modes))('%s resizing', (mode, resize) => {
  it.each(sizes)('%s: values and gradient equal the reference', async (name) => {
    const golden = await GoldenCase.read('resize-odd');
    const expected = golden.image(`out.${mode}.${name}`);
    const [, height, width] = expected.shape;
    const scale = (x: tf.Tensor) => resize(x as tf.Tensor4D, [height, width]);
    const maps = golden.image('in.maps');
    await expectClose(scale(maps), expected, 1e-5);
    await expectClose(tf.grad(scale)(maps, golden.image(`in.d.${name}`)), golden.image(`grad.${mode}.${name}`), 1e-5);
  });

  it.each([
    [
      [2, 3, 5, 2],
      [7, 4],
    ],
    [
      [1, 6, 2, 3],
      [4, 9],
    ],
  ] as const)('%j to %j: the gradient equals finite differences', async (shape, size) => {
    const x = tf.randomNormal<tf.Rank.R4>([...shape], 0, 1, 'float32', 3);
    // Linear in its input: only rounding is left.
    expect(await gradientError((maps) => resize(maps as tf.Tensor4D, size), [x], 0.1)).toBeLessThan(1e-3);
  });

  it('leaves one tensor, its result, and its input alone', async () => {
    const x = tf.ones<tf.Rank.R4>([1, 3, 4, 2]);
    expect(await leakOf(() => [resize(x, [5, 3]), resize(x, [3, 4])])).toBe(2);
    expect(x.isDisposed).toBe(false);
  });
});

it('weights of a place always sum to one', () => {
  for (const weights of [bilinearWeights, bicubicWeights, antialiasedWeights]) {
    for (const [from, to] of [
      [1, 5],
      [2, 7],
      [9, 4],
      [13, 13],
    ] as const) {
      const table = weights(from, to);
      for (let o = 0; o < to; o++) {
        const sum = table.subarray(o * from, (o + 1) * from).reduce((a, b) => a + b, 0);
        expect(sum).toBeCloseTo(1, 5);
      }
    }
  }
});
