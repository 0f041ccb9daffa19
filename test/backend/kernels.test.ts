import { beforeAll, describe, expect, it } from '@jest/globals';
import { initBackend, tf } from '../../src/backend/index.js';
import { leakOf } from '../support/backend.js';
import { gradientError } from '../support/finite-difference.js';

/** Central differences of float32 values of order one: rounding leaves about 1e-3 of the largest. */
const TOLERANCE = 3e-3;

describe.each(['wasm', 'cpu'] as const)('kernels added to %s', (name) => {
  beforeAll(async () => {
    expect(await initBackend(name)).toBe(name);
  });

  const ramp = (shape: number[]) =>
    tf.tensor(
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(0.7 + 2.3 * i)),
      shape,
    );

  it('sums rows by segment, leaves out negative ones and gives zero for a segment without rows', async () => {
    const x = tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8], [4, 2]);
    const sums = tf.unsortedSegmentSum(x, tf.tensor1d([2, 0, -1, 2], 'int32'), 4);
    expect(sums.shape).toEqual([4, 2]);
    expect([...(await sums.data())]).toEqual([3, 4, 0, 0, 8, 10, 0, 0]);
  });

  it('keeps integers exact', async () => {
    const sums = tf.unsortedSegmentSum(tf.tensor1d([2 ** 24, 1, 5], 'int32'), tf.tensor1d([1, 1, 0], 'int32'), 2);
    expect(sums.dtype).toBe('int32');
    expect([...(await sums.data())]).toEqual([5, 2 ** 24 + 1]);
  });

  it('has the gradient of gather, along any axis and with repeats', async () => {
    const indices = tf.tensor2d([3, 0, 3, 1, 3, 2], [2, 3], 'int32');
    expect(await gradientError((x) => tf.gather(x, indices), [ramp([5, 2])])).toBeLessThan(TOLERANCE);
    expect(await gradientError((x) => tf.gather(x, indices, 1), [ramp([2, 4, 3])])).toBeLessThan(TOLERANCE);
  });

  it('has the gradient of a convolution in image and weights', async () => {
    const conv = (x: tf.Tensor, w: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, [2, 1], 'same');
    expect(await gradientError(conv, [ramp([2, 5, 4, 3]), ramp([3, 2, 3, 2])])).toBeLessThan(TOLERANCE);
  });

  it('has the gradient of a depthwise convolution in image and weights', async () => {
    const conv = (x: tf.Tensor, w: tf.Tensor) => tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same');
    expect(await gradientError(conv, [ramp([2, 4, 5, 3]), ramp([3, 2, 3, 1])])).toBeLessThan(TOLERANCE);
  });

  it('has the gradient of pooling where the pools do not cover the image', async () => {
    const pool = (x: tf.Tensor) => tf.maxPool(x as tf.Tensor4D, 2, 2, 'valid');
    const average = (x: tf.Tensor) => tf.avgPool(x as tf.Tensor4D, 2, 2, 'valid');
    expect(await gradientError(pool, [ramp([2, 5, 7, 3])])).toBeLessThan(TOLERANCE);
    expect(await gradientError(average, [ramp([2, 5, 7, 3])])).toBeLessThan(TOLERANCE);
  });

  it('leaves nothing behind', async () => {
    const x = ramp([1, 4, 5, 2]);
    const w = ramp([3, 3, 2, 2]);
    const indices = tf.tensor1d([1, 0, 1], 'int32');
    const step = () =>
      tf.tidy(() => {
        const loss = (image: tf.Tensor, weights: tf.Tensor) =>
          tf.sum(tf.gather(tf.conv2d(image as tf.Tensor4D, weights as tf.Tensor4D, 1, 'same'), indices, 1)) as tf.Scalar;
        tf.grads(loss)([x, w]);
      });
    step();
    // Of the backends too: borrowed kernels hold values on the lender, which the engine does not count.
    const held = () => ['cpu', name].map((backend) => tf.engine().findBackend(backend).numDataIds());
    const before = held();
    expect(await leakOf(step)).toBe(0);
    expect(held()).toEqual(before);
  });
});
