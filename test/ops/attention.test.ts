import { describe, expect, it } from '@jest/globals';
import { largestTensorSize, tf } from '../../src/backend/index.js';
import { scaledDotProductAttention } from '../../src/ops/index.js';
import { useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';

useBackend();

const wave = (shape: number[], phase: number) =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(1.3 * i + phase)),
    shape,
  );

describe('scaledDotProductAttention', () => {
  // 2 * 3 * 5 scores a query: seven queries at once; three, three and one; one by one.
  it.each([1000, 2 * 3 * 5 * 3, 1])('of at most %i scores at once gives the same values and gradients', async (largestScores) => {
    const inputs = [wave([2, 3, 7, 4], 0), wave([2, 3, 5, 4], 1), wave([2, 3, 5, 6], 2)];
    for (const bias of [undefined, wave([1, 3, 7, 5], 3), wave([2, 1, 1, 5], 4), wave([5], 5)]) {
      const by = (largest: number) => (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) =>
        scaledDotProductAttention({
          query: q as tf.Tensor4D,
          key: k as tf.Tensor4D,
          value: v as tf.Tensor4D,
          bias,
          largestScores: largest,
        });
      const [q, k, v] = inputs as [tf.Tensor, tf.Tensor, tf.Tensor];
      const whole = by(Number.POSITIVE_INFINITY);
      await expectClose(by(largestScores)(q, k, v), whole(q, k, v), 1e-6);
      const dy = wave([2, 3, 7, 6], 6);
      const expected = tf.grads(whole)(inputs, dy);
      for (const [i, gradient] of tf.grads(by(largestScores))(inputs, dy).entries())
        await expectClose(gradient, expected[i] as tf.Tensor, 1e-5);
    }
  });

  it('is cut only where the backend holds no such tensor', () => {
    // 128 MB is what every WebGPU device holds; others are limited by the memory.
    expect(largestTensorSize()).toBeGreaterThanOrEqual(2 ** 25);
    if (tf.getBackend() !== 'webgpu') expect(largestTensorSize()).toBe(Number.POSITIVE_INFINITY);
  });
});
