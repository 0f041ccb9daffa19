import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { generalizedIou, giouLoss, giouOf, l1Loss } from '../../src/losses/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { relativeError } from '../support/compare.js';
import { gradientError } from '../support/finite-difference.js';

useBackend();

/** Overlapping, apart, one inside the other, crossing; no two sides at the same place, where the loss has a kink. */
const PREDICTED = [
  [0.4, 0.5, 0.3, 0.2],
  [0.2, 0.2, 0.1, 0.15],
  [0.5, 0.5, 0.2, 0.1],
  [0.55, 0.4, 0.5, 0.12],
];
const WANTED = [
  [0.45, 0.52, 0.22, 0.31],
  [0.7, 0.8, 0.24, 0.12],
  [0.52, 0.48, 0.6, 0.5],
  [0.5, 0.43, 0.1, 0.6],
];

describe('box losses', () => {
  it('have the gradient of finite differences', async () => {
    const [predicted, wanted] = [tf.tensor2d(PREDICTED), tf.tensor2d(WANTED)];
    // Smaller steps than usual: sides that nearly meet must not pass each other.
    expect(await gradientError((p) => giouLoss(p as tf.Tensor, wanted), [predicted], 2e-3)).toBeLessThan(2e-3);
    expect(await gradientError((p) => l1Loss(p as tf.Tensor, wanted), [predicted], 2e-3)).toBeLessThan(2e-3);
  });

  it('agree with the generalised IoU that matching uses', async () => {
    const corners = (boxes: number[][]) =>
      tf.tensor2d(boxes.map(([x = 0, y = 0, w = 0, h = 0]) => [x - w / 2, y - h / 2, x + w / 2, y + h / 2]));
    const tensors = await generalizedIou(corners(PREDICTED), corners(WANTED)).data();
    const host = PREDICTED.map((box, i) =>
      giouOf(box as [number, number, number, number], WANTED[i] as [number, number, number, number]),
    );
    expect(relativeError(tensors, host)).toBeLessThan(1e-5);
    expect(Math.min(...host)).toBeLessThan(-0.5);
    expect(Math.max(...host)).toBeGreaterThan(0.3);
  });

  it('know the corner cases', () => {
    expect(giouOf([0.5, 0.5, 0.2, 0.4], [0.5, 0.5, 0.2, 0.4])).toBeCloseTo(1, 12);
    // Two unit squares a unit apart: nothing shared, a third of the hull empty.
    expect(giouOf([0.5, 0.5, 1, 1], [2.5, 0.5, 1, 1])).toBeCloseTo(-1 / 3, 12);
    expect(Number.isFinite(giouOf([0.5, 0.5, 0, 0], [0.5, 0.5, 0, 0]))).toBe(true);
  });

  it('stay finite, with their gradients, for boxes without area', async () => {
    const point = tf.tensor2d([[0.5, 0.5, 0, 0]]);
    const gradient = tf.grad((p: tf.Tensor) => tf.sum(giouLoss(p, tf.tensor2d([[0.5, 0.5, 0, 0]]))))(point);
    expect([...(await gradient.data())].every(Number.isFinite)).toBe(true);
  });

  it('leave no tensors behind', async () => {
    const [predicted, wanted] = [tf.tensor2d(PREDICTED), tf.tensor2d(WANTED)];
    expect(await leakOf(() => tf.dispose([generalizedIou(predicted, wanted)]))).toBe(0);
    expect(await leakOf(() => tf.dispose([giouLoss(predicted, wanted), l1Loss(predicted, wanted)]))).toBe(0);
  });
});
