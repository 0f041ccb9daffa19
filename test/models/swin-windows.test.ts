import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import {
  cyclicShift,
  joinWindows,
  padToMultiple,
  relativePositionIndex,
  shiftedWindowMask,
  splitWindows,
} from '../../src/ops/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { gradientError } from '../support/finite-difference.js';

useBackend();

/** A map of distinct values: element [b, y, x, c] is its own flat index. */
function counting(shape: [number, number, number, number]): tf.Tensor4D {
  return tf.reshape(tf.range(0, shape[0] * shape[1] * shape[2] * shape[3]), shape);
}

describe('splitWindows', () => {
  it('lists the tokens of each window row by row, heads apart', async () => {
    const windows = splitWindows(counting([2, 4, 6, 2]), 2, 2);
    expect(windows.shape).toEqual([12, 2, 4, 1]);
    // The second window of the second image, second head: rows 0 and 1, columns 2 and 3, channel 1.
    expect([...(await tf.slice(windows, [7, 1, 0, 0], [1, 1, 4, 1]).data())]).toEqual([53, 55, 65, 67]);
  });

  it('is undone by joinWindows', async () => {
    const x = counting([2, 6, 9, 4]);
    await expectClose(joinWindows(splitWindows(x, 3, 2), 3, [6, 9]), x, 1e-9);
  });
});

describe('padToMultiple', () => {
  it('appends zeros below and to the right', async () => {
    const padded = padToMultiple(tf.ones([1, 2, 4, 1]), 3);
    expect(padded.shape).toEqual([1, 3, 6, 1]);
    expect([...(await padded.data())]).toEqual([1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('returns a map that fits as it is', () => {
    const x = counting([1, 4, 6, 1]);
    expect(padToMultiple(x, 2)).toBe(x);
  });
});

describe('cyclicShift', () => {
  it('moves rows and columns round', async () => {
    const shifted = cyclicShift(counting([1, 2, 3, 1]), [-1, 1]);
    expect([...(await shifted.data())]).toEqual([5, 3, 4, 2, 0, 1]);
  });

  it('has the right gradient', async () => {
    const x = tf.randomNormal([2, 3, 4, 2], 0, 1, 'float32', 1);
    // Squared, so that the gradient differs from place to place with the values themselves.
    const error = await gradientError((map) => tf.square(cyclicShift(map as tf.Tensor4D, [-1, 2])), [x]);
    expect(error).toBeLessThan(1e-3);
  });

  it('leaves nothing behind but its result', async () => {
    const x = counting([1, 4, 6, 2]);
    const gradient = tf.grad((map: tf.Tensor) => tf.sum(cyclicShift(map as tf.Tensor4D, [1, 2])));
    expect(await leakOf(() => tf.dispose([cyclicShift(x, [1, 2]), gradient(x)]))).toBe(0);
  });
});

describe('shiftedWindowMask', () => {
  it('parts what the shift brought together', async () => {
    const mask = shiftedWindowMask([2, 4], 2, 1);
    const apart = -100;
    // One row of windows: the first mixes top and bottom rows, the last left and right columns too.
    const expected = tf.tensor3d([
      [
        [0, 0, apart, apart],
        [0, 0, apart, apart],
        [apart, apart, 0, 0],
        [apart, apart, 0, 0],
      ],
      [
        [0, apart, apart, apart],
        [apart, 0, apart, apart],
        [apart, apart, 0, apart],
        [apart, apart, apart, 0],
      ],
    ]);
    await expectClose(mask, expected, 1e-9);
  });
});

describe('relativePositionIndex', () => {
  it('gives each offset a row of its own', () => {
    expect([...relativePositionIndex(2)]).toEqual([4, 3, 1, 0, 5, 4, 2, 1, 7, 6, 4, 3, 8, 7, 5, 4]);
  });
});
