import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { Linear, throughHidden } from '../../src/nn/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';

useBackend();

const wave = (shape: readonly number[], phase: number) =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(1.3 * i + phase)),
    [...shape],
  );

describe('throughHidden', () => {
  // 9 hidden numbers a row: all 14 rows at once; four, four, four and two; one by one.
  it.each([1000, 9 * 4 + 2, 1])('with at most %i hidden numbers at once gives the same values and gradients', async (largest) => {
    const addTo = wave([2, 7, 4], 9);
    const [expand, contract] = [new Linear(5, 9), new Linear(9, 4)];
    for (const [i, layer] of [expand, contract].entries()) {
      layer.weight.assign(wave(layer.weight.shape, i));
      layer.bias?.assign(wave(layer.bias.shape, i + 2));
    }
    const x = wave([2, 7, 5], 7);
    const drop = (hidden: tf.Tensor) => tf.mul(hidden, 0.5);
    const by = (count: number) => (rows: tf.Tensor) =>
      throughHidden(rows, { expand, activate: 'gelu', contract, drop, addTo, largest: count });
    const [whole, parts] = [by(Number.POSITIVE_INFINITY), by(largest)];
    expect(parts(x).shape).toEqual([2, 7, 4]);
    await expectClose(parts(x), whole(x), 1e-6);
    const dy = wave([2, 7, 4], 8);
    await expectClose(tf.grad(parts)(x, dy), tf.grad(whole)(x, dy), 1e-5);
    expect(await leakOf(() => parts(x).dispose())).toBe(0);
  });
});
