import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { Draws, dropout, dropPath, PassSeed } from '../../src/nn/index.js';
import { useBackend } from '../support/backend.js';
import { expectShare } from '../support/draws.js';

useBackend();

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
