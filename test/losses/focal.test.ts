import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { qualityFocalLoss, sigmoidFocalLoss } from '../../src/losses/focal.js';
import { useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { gradientError } from '../support/finite-difference.js';
import { normalTensor } from '../support/random.js';

useBackend();

describe('qualityFocalLoss', () => {
  it.each([
    ['as published', {}],
    ['with other weights', { alpha: 0.6, gamma: 1.5 }],
  ])('equals the focal loss for targets of 0 and 1, %s', async (_, options) => {
    const logits = normalTensor<tf.Rank.R2>([6, 5], 3, 4);
    const targets = tf.cast(tf.greater(normalTensor([6, 5], 4), 0), 'float32') as tf.Tensor2D;
    await expectClose(qualityFocalLoss(logits, targets, options), sigmoidFocalLoss(logits, targets, options), 1e-5);
  });

  it('is the formula of the paper between them', async () => {
    const [x, y] = [0.7, 0.4];
    const p = 1 / (1 + Math.exp(-x));
    const crossEntropy = -(1 - y) * Math.log(1 - p) - y * Math.log(p);
    const expected = (0.25 * y + 0.75 * (1 - y)) * (y - p) ** 2 * crossEntropy;
    const [found] = await qualityFocalLoss(tf.tensor1d([x]), tf.tensor1d([y])).data();
    expect(found).toBeCloseTo(expected, 6);
  });

  it('has the gradient of its values', async () => {
    const targets = tf.tensor2d([
      [0, 0.2, 0.9],
      [1, 0.5, 0.7],
    ]);
    const logits = normalTensor<tf.Rank.R2>([2, 3], 5, 2);
    expect(await gradientError((x) => qualityFocalLoss(x, targets), [logits])).toBeLessThan(1e-3);
  });

  it('stays finite where tokens are excluded', async () => {
    const excluded = tf.tensor1d([Number.NEGATIVE_INFINITY, -1e30]);
    const slope = tf.grad((logits) => tf.sum(qualityFocalLoss(logits, tf.zerosLike(logits))))(excluded);
    expect([...(await qualityFocalLoss(excluded, tf.zeros([2])).data())]).toEqual([0, 0]);
    expect([...(await slope.data())].map(Math.abs)).toEqual([0, 0]);
  });
});
