import { describe, expect, it } from '@jest/globals';
import { tf } from '../../../src/backend/index.js';
import { Parameter, zeros } from '../../../src/nn/index.js';
import { Ema } from '../../../src/train/optim/index.js';
import { leakOf, useBackend } from '../../support/backend.js';
import { relativeError } from '../../support/compare.js';

useBackend();

const VALUES = [
  [1, 2, 3, 4, 5, 6, -1],
  [2, 0, 3, 5, -5, 6, 1],
  [7, 1, 0, 4, 2, -6, 3],
];

function start(decay: number) {
  const parameters = [
    ['a.weight', new Parameter([3, 2], { init: zeros })],
    ['b.scale', new Parameter([], { init: zeros })],
  ] as const;
  set(parameters, VALUES[0] as number[]);
  return { parameters, ema: new Ema(parameters, decay) };
}

type Parameters = ReturnType<typeof start>['parameters'];

function set([[, weight], [, scale]]: Parameters, values: readonly number[]): void {
  tf.tidy(() => {
    weight.assign(tf.tensor(values.slice(0, 6), [3, 2]));
    scale.assign(tf.scalar(values[6] as number));
  });
}

async function read([[, weight], [, scale]]: Parameters): Promise<number[]> {
  return [...(await weight.value.data()), ...(await scale.value.data())];
}

describe('the average of parameters', () => {
  it('keeps less of its beginnings, then the given share', async () => {
    const { parameters, ema } = start(0.15);
    let expected = VALUES[0] as number[];
    for (const [n, values] of VALUES.slice(1).entries()) {
      set(parameters, values);
      await ema.update();
      const keep = Math.min(0.15, (1 + n) / (10 + n));
      expected = expected.map((old, i) => old * keep + (values[i] as number) * (1 - keep));
    }
    ema.swap();
    expect(relativeError(await read(parameters), expected)).toBeLessThan(1e-6);
    ema.swap();
    expect(await read(parameters)).toEqual(VALUES[2]);
  });

  it('resumes from a saved state', async () => {
    const [first, second] = [start(0.9), start(0.9)];
    set(first.parameters, VALUES[1] as number[]);
    await first.ema.update();
    const state = first.ema.state();
    expect([...state.keys()]).toEqual(['average.a.weight', 'average.b.scale']);
    second.ema.restore(state, 1);
    for (const { parameters, ema } of [first, second]) {
      set(parameters, VALUES[2] as number[]);
      await ema.update();
      ema.swap();
    }
    expect(await read(second.parameters)).toEqual(await read(first.parameters));
    expect(() => second.ema.restore(new Map(), 0)).toThrow('average.a.weight: it is missing');
  });

  it('leaves the number of tensors as it was', async () => {
    const { ema } = start(0.9);
    const state = ema.state();
    expect(
      await leakOf(async () => {
        await ema.update();
        ema.swap();
        ema.restore(state, 4);
        tf.dispose([...ema.state().values()]);
      }),
    ).toBe(0);
    expect(await leakOf(() => ema.dispose())).toBe(-1);
  });
});
