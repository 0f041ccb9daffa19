import { describe, expect, it } from '@jest/globals';
import { tf } from '../../../src/backend/index.js';
import { type Gradients, Parameter, zeros } from '../../../src/nn/index.js';
import { Accumulator, groupParameters } from '../../../src/train/optim/index.js';
import { leakOf, useBackend } from '../../support/backend.js';
import { relativeError } from '../../support/compare.js';

useBackend();

const named = ['a.weight', 'a.bias', 'b.weight'].map((path) => [path, new Parameter([2], { init: zeros })] as const);

describe('parameter groups', () => {
  it('are decided by the first pattern that fits', () => {
    const rules = [
      { match: '**.bias', weightDecay: 0 },
      { match: 'a.**', learningRate: 1e-4 },
    ];
    const groups = groupParameters(named, rules, 1e-3);
    expect(groups.map(({ name, parameters }) => [name, parameters.map(([path]) => path)])).toEqual([
      ['**.bias', ['a.bias']],
      ['a.**', ['a.weight']],
      ['rest', ['b.weight']],
    ]);
    expect(groups[0]).toMatchObject({ lrScale: 1, weightDecay: 0 });
    expect(groups[1]?.lrScale).toBeCloseTo(0.1, 12);
  });

  it('that take nothing are errors, all named', () => {
    expect(() => groupParameters(named, [{ match: '**' }, { match: 'a.bias' }, { match: 'c.*' }], 1)).toThrow(
      'a.bias fits only parameters of earlier groups; c.* fits no trained parameter',
    );
  });
});

describe('accumulation', () => {
  const [p, q] = named.map(([, parameter]) => parameter) as [Parameter, Parameter];

  it('gives the gradients of the larger batch, also where parts have no object, and keeps no tensor', async () => {
    // Raw sums over objects and the number of objects of three parts; each part divided by max(1, objects).
    const parts = [
      { sum: [6, 3], objects: 3 },
      { sum: [1, -1], objects: 0 },
      { sum: [2, 8], objects: 2 },
    ];
    const run = async () => {
      const whole = new Accumulator();
      for (const [k, { sum, objects }] of parts.entries()) {
        const gradients: Gradients = new Map([[p, tf.tensor1d(sum.map((v) => v / Math.max(1, objects)))]]);
        if (k === 1) gradients.set(q, tf.tensor1d([5, 5]));
        whole.add({ gradients, normaliser: objects });
      }
      const gradients = whole.finish();
      expect(relativeError([...((await gradients.get(p)?.data()) ?? [])], [9 / 5, 2])).toBeLessThan(1e-6);
      expect([...((await gradients.get(q)?.data()) ?? [])]).toEqual([1, 1]);
      tf.dispose([...gradients.values()]);
    };
    expect(await leakOf(run)).toBe(0);
  });
});
