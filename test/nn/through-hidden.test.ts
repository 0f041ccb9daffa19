import { describe, expect, it } from '@jest/globals';
import { hasNativeMlp, initBackend, tf } from '../../src/backend/index.js';
import { Linear, throughHidden, useBfloat16 } from '../../src/nn/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { itUnless, notNative } from '../support/skipped.js';

const missing = notNative(await initBackend());
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

  const layers = () => {
    const [expand, contract] = [new Linear(5, 9), new Linear(9, 4)];
    for (const [i, layer] of [expand, contract].entries()) {
      layer.weight.assign(wave(layer.weight.shape, i));
      layer.bias?.assign(wave(layer.bias.shape, i + 2));
    }
    return { expand, contract, activate: 'relu' } as const;
  };
  /** Names of the kernels that a pass runs. */
  const kernelsOf = async (pass: () => tf.Tensor) => (await tf.profile(() => tf.tidy(pass))).kernels.map(({ name }) => name);

  itUnless(missing, 'fuses rows that outnumber the weights, unless a gradient is recorded or inputs are dropped', async () => {
    expect(hasNativeMlp()).toBe(true);
    const given = layers();
    // Nine rows of 5 and 4 numbers are as many as the weights of a hidden number.
    for (const [rows, fused] of [
      [9, false],
      [10, true],
    ] as const) {
      const x = wave([rows, 5], 3);
      const plain = tf.tidy(() => given.contract.forward(tf.relu(given.expand.forward(x))));
      await expectClose(throughHidden(x, given), plain, 1e-6);
      expect((await kernelsOf(() => throughHidden(x, given))).includes('SonogroundMlp')).toBe(fused);
    }
    const x = wave([2, 7, 5], 3);
    const addTo = wave([2, 7, 4], 4);
    const plain = tf.tidy(() => tf.add(given.contract.forward(tf.relu(given.expand.forward(x))), addTo));
    const whole = throughHidden(x, { ...given, addTo });
    expect(whole.shape).toEqual([2, 7, 4]);
    await expectClose(whole, plain, 1e-6);
    expect(await kernelsOf(() => throughHidden(x, { ...given, drop: (h) => h }))).not.toContain('SonogroundMlp');
    expect(await kernelsOf(() => tf.grad((y) => throughHidden(y, given))(x))).not.toContain('SonogroundMlp');
  });

  itUnless(missing, 'does not fuse a layer in bfloat16 with one in float32', async () => {
    const [single, mixed] = [layers(), layers()];
    useBfloat16(mixed.expand);
    expect([mixed.expand.precision, mixed.contract.precision]).toEqual(['bfloat16', 'float32']);
    const x = wave([12, 5], 3);
    await expectClose(throughHidden(x, mixed), throughHidden(x, single), 0.02);
    expect(await kernelsOf(() => throughHidden(x, mixed))).not.toContain('SonogroundMlp');
  });

  itUnless(missing, 'does not fuse a layer without a bias', async () => {
    const { expand, contract } = layers();
    const [bareExpand, bareContract] = [new Linear(5, 9, { bias: false }), new Linear(9, 4, { bias: false })];
    bareExpand.weight.assign(wave([9, 5], 1));
    bareContract.weight.assign(wave([4, 9], 2));
    const x = wave([12, 5], 3);
    for (const [first, second] of [
      [bareExpand, contract],
      [expand, bareContract],
    ] as const) {
      const plain = tf.tidy(() => second.forward(tf.relu(first.forward(x))));
      await expectClose(throughHidden(x, { expand: first, activate: 'relu', contract: second }), plain, 1e-6);
    }
  });

  it('runs as many blocks as the largest tensor asks for', () => {
    const counts = [1000, 9 * 4 + 2, 1].map((largest) => {
      let blocks = 0;
      const drop = (hidden: tf.Tensor) => {
        blocks += 1;
        return hidden.clone();
      };
      throughHidden(wave([2, 7, 5], 1), { ...layers(), drop, largest }).dispose();
      return blocks;
    });
    expect(counts).toEqual([1, 4, 14]);
  });
});
