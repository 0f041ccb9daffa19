import { describe, expect, it } from '@jest/globals';
import { initBackend, tf } from '../../src/backend/index.js';
import { withPortableKernels } from '../../src/backend/kernels/index.js';
import { Draws, dropout, dropPath, PassSeed } from '../../src/nn/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectShare } from '../support/draws.js';
import { normalTensor } from '../support/random.js';
import { itUnless, notNative } from '../support/skipped.js';

useBackend();
const missing = notNative(await initBackend());

const RATE = 0.3;
const training = (seed: number) => ({ training: true, draws: new Draws(new PassSeed(seed)) });

/** The distinct values of a float32 tensor, ascending. */
const levelsOf = async (x: tf.Tensor): Promise<number[]> => [...new Set(await x.data())].sort((a, b) => a - b);

describe('dropout', () => {
  const drop = dropout;
  const ones = () => tf.ones([200, 100]);

  it('zeroes the share of elements that the rate names', async () => {
    const values = await drop(ones(), RATE, training(1)).data();
    expectShare(values.filter((value) => value === 0).length, values.length, RATE);
  });

  it('multiplies what it keeps by 1 / (1 - rate), so that the mean stays', async () => {
    const levels = await levelsOf(drop(ones(), RATE, training(1)));
    expect(levels).toHaveLength(2);
    expect(levels[0]).toBe(0);
    expect(levels[1]).toBeCloseTo(1 / (1 - RATE), 6);
  });

  it('passes the gradient through what it kept, by the same factor', async () => {
    const x = ones();
    const kept = drop(x, RATE, training(2));
    const slope = tf.grad((input) => drop(input, RATE, training(2)))(x);
    expect(await slope.data()).toEqual(await kept.data());
  });

  it('draws for each element, the same again from the same state', async () => {
    const [first, again, other] = [1, 1, 2].map((seed) => drop(ones(), RATE, training(seed)));
    expect(await first?.data()).toEqual(await again?.data());
    expect(await first?.data()).not.toEqual(await other?.data());
    // Neither rows nor columns go as a whole: none is all zeros or without any.
    for (const axis of [0, 1]) {
      const shares = await tf.mean(tf.cast(tf.equal(first as tf.Tensor, 0), 'float32'), axis).data();
      expect(Math.min(...shares)).toBeGreaterThan(0.05);
      expect(Math.max(...shares)).toBeLessThan(0.65);
    }
  });

  it('returns its input at rate 0 and outside of training', () => {
    const x = ones();
    expect(drop(x, 0, training(1))).toBe(x);
    expect(drop(x, RATE, { ...training(1), training: false })).toBe(x);
  });
});

describe('stochastic depth', () => {
  const drop = dropPath;
  const samples = 4000;

  it('zeroes whole samples, the share that the rate names, and scales up the others', async () => {
    const x = tf.ones<tf.Rank.R4>([samples, 2, 1, 3]);
    const y = drop(x, RATE, training(3));
    const [least, most] = [await tf.min(y, [1, 2, 3]).data(), await tf.max(y, [1, 2, 3]).data()];
    expect(least).toEqual(most);
    expectShare(least.filter((value) => value === 0).length, samples, RATE);
    expect((await levelsOf(y)).at(-1)).toBeCloseTo(1 / (1 - RATE), 6);
  });

  it('returns its input at rate 0 and outside of training', () => {
    const x = tf.ones<tf.Rank.R4>([2, 1, 1, 1]);
    expect(drop(x, 0, training(1))).toBe(x);
    expect(drop(x, RATE, { ...training(1), training: false })).toBe(x);
  });
});

describe('dropout at rate 1', () => {
  it('leaves zeros, not the infinity that its factor would be', async () => {
    expect(await levelsOf(dropout(tf.ones([7]), 1, training(1)))).toEqual([0]);
  });
});

describe('the seed of a pass', () => {
  it('makes a tensor at most once, and frees it', async () => {
    const leak = await leakOf(() => {
      const seed = new PassSeed(0x89abcdef);
      expect(seed.tensor).toBe(seed.tensor);
      expect([...seed.tensor.dataSync()]).toEqual([0x89abcdef | 0]);
      seed.dispose();
      new PassSeed(1).dispose();
    });
    expect(leak).toBe(0);
  });
});

describe('dropout as an operation', () => {
  const shapes: [number[], number][] = [
    [[3], 1],
    [[7, 43], 1],
    [[2, 4099, 3], 1],
    [[5, 2, 3], 6],
    [[9000, 2], 2],
  ];
  itUnless(missing, 'draws the numbers of the portable version, and has its gradient', async () => {
    for (const [shape, each] of shapes) {
      const x = normalTensor(shape, 3);
      const dy = normalTensor(shape, 4);
      // The third draw of the block.
      const drop = (input: tf.Tensor) => {
        const draws = new Draws(new PassSeed(0x89abcdef), 17);
        for (let i = 0; i < 2; i++) draws.drop(tf.ones([8]), RATE);
        return draws.drop(input, RATE, each);
      };
      const both = () => [drop(x), tf.grad(drop)(x, dy)].map((tensor) => tensor.dataSync());
      expect(both()).toEqual(withPortableKernels(both));
    }
  });

  itUnless(missing, 'refuses groups that do not fit', () => {
    expect(() => new Draws(new PassSeed(1)).drop(tf.ones([7]), RATE, 3)).toThrow('elements in groups of 3');
  });
});
