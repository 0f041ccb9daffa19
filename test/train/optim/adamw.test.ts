import { describe, expect, it } from '@jest/globals';
import { tf } from '../../../src/backend/index.js';
import { type Gradients, Parameter, zeros } from '../../../src/nn/index.js';
import { AdamW, clipScale, GlobalNorm } from '../../../src/train/optim/index.js';
import { leakOf, useBackend } from '../../support/backend.js';
import { expectClose, relativeError } from '../../support/compare.js';
import { GoldenCase } from '../../support/golden.js';

useBackend();

const TOLERANCE = 1e-6;
const RATE = 3e-3;
const OPTIONS = { betas: [0.9, 0.98], eps: 1e-8 } as const;
const PATHS = ['encoder.weight', 'encoder.bias', 'head.weight', 'head.scale'];

interface Setting {
  readonly golden: GoldenCase;
  readonly parameters: Map<string, Parameter>;
  readonly optimiser: AdamW;
}

async function start(capture = false): Promise<Setting> {
  const golden = await GoldenCase.read('adamw-two-groups');
  const parameters = new Map(
    PATHS.map((path) => {
      const values = golden.tensor(`in.${path}`);
      const parameter = new Parameter(values.shape, { init: zeros });
      parameter.assign(values);
      values.dispose();
      return [path, parameter];
    }),
  );
  const named = (prefix: string) => [...parameters].filter(([path]) => path.startsWith(prefix));
  const groups = [
    { name: 'encoder', parameters: named('encoder'), lrScale: 0.1, weightDecay: 0.05 },
    { name: 'head', parameters: named('head') },
  ];
  return { golden, parameters, optimiser: new AdamW(groups, { ...OPTIONS, weightDecay: 0, capture }) };
}

function gradientsOf({ golden, parameters }: Setting, step: number): Gradients {
  const pick = (path: string) =>
    tf.tidy(() => {
      const all = golden.tensor(`grad.${path}`);
      return all.slice([step], [1]).reshape(all.shape.slice(1));
    });
  return new Map([...parameters].map(([path, parameter]) => [parameter, pick(path)]));
}

async function take(setting: Setting, from: number, to: number): Promise<void> {
  for (let step = from; step < to; step++) {
    const gradients = gradientsOf(setting, step);
    await setting.optimiser.step(gradients, RATE * (1 - step / 200));
    tf.dispose([...gradients.values()]);
  }
}

async function expectAt({ golden, parameters }: Setting, step: number): Promise<void> {
  for (const [path, parameter] of parameters) await expectClose(parameter.value, golden.tensor(`out.${step}.${path}`), TOLERANCE);
}

describe('AdamW', () => {
  it.each([
    ['operation by operation', false],
    ['as a graph', true],
  ])('matches 100 steps of torch, with two groups, %s', async (_how, capture) => {
    const setting = await start(capture);
    await take(setting, 0, 1);
    await expectAt(setting, 1);
    await take(setting, 1, 60);
    await expectAt(setting, 60);
    await take(setting, 60, 100);
    await expectAt(setting, 100);
    setting.optimiser.dispose();
  });

  it('resumes from a saved state', async () => {
    const first = await start();
    await take(first, 0, 60);
    const second = await start();
    for (const [path, parameter] of second.parameters) parameter.assign((first.parameters.get(path) as Parameter).value);
    const state = first.optimiser.state();
    expect([...state.keys()].sort()).toEqual([...PATHS.map((p) => `mean.${p}`), ...PATHS.map((p) => `square.${p}`)].sort());
    second.optimiser.restore(state, 60);
    tf.dispose([...state.values()]);
    first.optimiser.dispose();
    await take(second, 60, 100);
    await expectAt(second, 100);
  });

  it('refuses a state that does not fit, and keeps its own', async () => {
    const setting = await start();
    await take(setting, 0, 60);
    const state = setting.optimiser.state();
    expect(() => setting.optimiser.restore(new Map([...state].slice(1)), 0)).toThrow('mean.encoder.weight: it is missing');
    const wrong = new Map([...state, ['square.head.weight', tf.zeros([3])]] as const);
    expect(() => setting.optimiser.restore(wrong, 0)).toThrow('square.head.weight: expected shape [2,3,4], got [3]');
    await take(setting, 60, 100);
    await expectAt(setting, 100);
  });

  it('counts a missing gradient as zero', async () => {
    const [missing, zero] = [await start(), await start()];
    for (const [setting, fill] of [
      [missing, false],
      [zero, true],
    ] as const) {
      await take(setting, 0, 2);
      const bias = setting.parameters.get('encoder.bias') as Parameter;
      const gradients = gradientsOf(setting, 2);
      gradients.delete(bias);
      if (fill) gradients.set(bias, tf.zeros([5]));
      const before = await bias.value.data();
      await setting.optimiser.step(gradients, RATE);
      expect(relativeError(await bias.value.data(), before)).toBeGreaterThan(1e-5);
    }
    const biasOf = (setting: Setting) => (setting.parameters.get('encoder.bias') as Parameter).value;
    expect([...(await biasOf(missing).data())]).toEqual([...(await biasOf(zero).data())]);
  });

  it('leaves the number of tensors as it was', async () => {
    const setting = await start();
    await take(setting, 0, 1);
    expect(await leakOf(() => take(setting, 1, 3))).toBe(0);
    expect(await leakOf(() => tf.dispose([...setting.optimiser.state().values()]))).toBe(0);
    const state = setting.optimiser.state();
    expect(await leakOf(() => setting.optimiser.restore(state, 3))).toBe(0);
    expect(await leakOf(() => new AdamW([{ name: 'all', parameters: [...setting.parameters] }]).dispose())).toBe(0);
  });

  it('takes a group without parameters, and no parameter twice', async () => {
    const { parameters } = await start();
    const [first] = [...parameters] as [[string, Parameter]];
    const empty = new AdamW([{ name: 'none', parameters: [] }]);
    expect(await empty.step(new Map(), RATE)).toBe(true);
    expect(empty.state().size).toBe(0);
    const twice = [
      { name: 'a', parameters: [first] },
      { name: 'b', parameters: [first] },
    ];
    expect(() => new AdamW(twice)).toThrow('encoder.weight is in the groups a and b');
  });
});

describe('clipping', () => {
  const norm = new GlobalNorm();

  it('scales as torch does', async () => {
    const setting = await start();
    const gradients = gradientsOf(setting, 0);
    const found = await norm.of(gradients);
    expect(relativeError([found], [...(await setting.golden.tensor('out.norm').data())])).toBeLessThan(TOLERANCE);
    const scale = clipScale(found, 0.5);
    // torch divides by the norm plus 1e-6.
    for (const [path, parameter] of setting.parameters)
      await expectClose(tf.mul(gradients.get(parameter) as tf.Tensor, scale), setting.golden.tensor(`out.clipped.${path}`), 2e-6);
  });

  it('reports broken gradients and leaves small and unlimited ones alone', async () => {
    const setting = await start();
    const gradients = gradientsOf(setting, 0);
    const whole = await norm.of(gradients);
    expect(clipScale(whole, 1e6)).toBe(1);
    expect(clipScale(whole, 0)).toBe(1);
    const parameter = setting.parameters.get('head.scale') as Parameter;
    const broken: Gradients = new Map([...gradients, [parameter, tf.scalar(Number.NaN)]]);
    expect(await norm.of(broken)).toBeNaN();
    broken.set(parameter, tf.scalar(Number.POSITIVE_INFINITY));
    expect(await norm.of(broken)).toBe(Number.POSITIVE_INFINITY);
    expect(await norm.of(new Map())).toBe(0);
  });

  it('leaves the number of tensors as it was', async () => {
    const setting = await start();
    const gradients = gradientsOf(setting, 0);
    expect(await leakOf(() => norm.of(gradients))).toBe(0);
  });
});
