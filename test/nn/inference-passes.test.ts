import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CompiledGraph, canRunGraphs, initBackend, tf } from '../../src/backend/index.js';
import { applyLora, mergeLora, setAdapterScale } from '../../src/lora/index.js';
import { activated, InferencePasses, LayerNorm, Linear, Module } from '../../src/nn/index.js';
import { Rng } from '../../src/util/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { normalTensor } from '../support/random.js';
import { itUnless } from '../support/skipped.js';

useBackend();
await initBackend();
const missing = canRunGraphs() ? undefined : 'there are no graphs without the native operations';

interface Inputs {
  readonly x: tf.Tensor;
  readonly more: { readonly scale: tf.Tensor; readonly times: number };
}

/** Attention of the rows of x to each other, with a norm and two layers. */
class Net extends Module {
  readonly q = this.child('q', new Linear(6, 6));
  readonly norm = this.child('norm', new LayerNorm(6));
  readonly out = this.child('out', new Linear(6, 4));
  runs = 0;

  constructor() {
    super();
    this.initialise(Rng.seeded(1));
  }

  forward({ x, more: { scale, times } }: Inputs): { y: tf.Tensor; parts: { sum: tf.Tensor; times: number }[] } {
    this.runs += 1;
    const q = activated(this.q, 'gelu', x); // [N, 6]
    const weights = tf.softmax(tf.mul(tf.matMul(q as tf.Tensor2D, x as tf.Tensor2D, false, true), scale)); // [N, N]
    const mixed = tf.add(x, tf.matMul(weights as tf.Tensor2D, x as tf.Tensor2D));
    const y = this.out.forward(this.norm.forward(mixed)); // [N, 4]
    return { y: tf.mul(y, times), parts: [{ sum: tf.sum(y, 1), times }] };
  }
}

const inputs = (rows: number, seed: number, times = 1): Inputs => ({
  x: normalTensor([rows, 6], seed),
  more: { scale: tf.scalar(1 + seed), times },
});

/** All numbers of a pass through the graphs, or eagerly. */
async function numbers(net: Net, given: Inputs, passes?: InferencePasses): Promise<number[]> {
  const compute = (own: Inputs) => net.forward(own);
  const { y, parts } = passes === undefined ? compute(given) : passes.run('net', given, compute);
  const [{ sum, times }] = parts as [(typeof parts)[number]];
  const all = [...(await y.data()), ...(await sum.data()), times];
  tf.dispose([y, sum]);
  await passes?.settle();
  return all;
}

/** The third pass of a shape is recorded. */
async function captured(net: Net, passes: InferencePasses, rows: number): Promise<void> {
  for (let i = 0; i < 3; i++) await numbers(net, inputs(rows, i), passes);
}

/** Whether the next pass runs as a graph: then nothing of the model runs. */
async function runsAsGraph(net: Net, passes: InferencePasses, given: Inputs): Promise<boolean> {
  const { runs } = net;
  await numbers(net, given, passes);
  return net.runs === runs;
}

let net: Net;
let passes: InferencePasses;
beforeEach(() => {
  net = new Net();
  passes = new InferencePasses(net);
});
afterEach(() => {
  jest.restoreAllMocks();
  passes.dispose();
  net.dispose();
});

describe('passes without gradients', () => {
  it('give the same bits as a graph, for other values of inputs and weights too', async () => {
    await captured(net, passes, 5);
    for (const seed of [3, 4]) expect(await numbers(net, inputs(5, seed), passes)).toEqual(await numbers(net, inputs(5, seed)));
    const before = await numbers(net, inputs(5, 3), passes);
    for (const { weight } of [net.q, net.out]) tf.tidy(() => weight.assign(tf.add(weight.value, 0.25)));
    const after = await numbers(net, inputs(5, 3), passes);
    expect(after).toEqual(await numbers(net, inputs(5, 3)));
    expect(after).not.toEqual(before);
  });

  itUnless(missing, 'run as a graph from the fourth of the same shapes on', async () => {
    const graph = async (given: Inputs) => runsAsGraph(net, passes, given);
    const first: boolean[] = [];
    for (let i = 0; i < 4; i++) first.push(await graph(inputs(5, i)));
    expect(first).toEqual([false, false, false, true]);
    expect([await graph(inputs(7, 1)), await graph(inputs(5, 1))]).toEqual([false, true]);
  });

  itUnless(missing, 'of other numbers among their inputs are others', async () => {
    await captured(net, passes, 5);
    expect(await runsAsGraph(net, passes, inputs(5, 1))).toBe(true);
    expect(await numbers(net, inputs(5, 1, 3), passes)).toEqual(await numbers(net, inputs(5, 1, 3)));
  });

  it('keep inputs apart that once shared their memory', async () => {
    const compute = ({ a, b }: { a: tf.Tensor; b: tf.Tensor }) => ({ y: tf.sub(tf.mul(a, 3), b) });
    const own = new InferencePasses(net);
    const run = async (a: tf.Tensor, b: tf.Tensor) => {
      const values = [...(await own.run('difference', { a, b }, compute).y.data())];
      await own.settle();
      return values;
    };
    const [x, y] = [tf.tensor1d([1, 2]), tf.tensor1d([5, 7])];
    for (let i = 0; i < 4; i++) expect(await run(x, x.clone())).toEqual([2, 4]);
    for (let i = 0; i < 4; i++) expect(await run(x, y)).toEqual([-2, -1]);
    own.dispose();
  });

  it('keep parameters apart that once shared their memory', async () => {
    const both = tf.fill([6], 0.5);
    for (const parameter of [net.norm.weight, net.norm.bias]) parameter.assign(both);
    await captured(net, passes, 5);
    net.norm.bias.assign(tf.fill([6], -3));
    expect(await numbers(net, inputs(5, 3), passes)).toEqual(await numbers(net, inputs(5, 3)));
  });

  it('follow an adapter that is added, scaled and merged', async () => {
    const steps = [
      () => void applyLora(net, { rank: 2, alpha: 4, targetModules: ['q'] }, Rng.seeded(2)),
      () => {
        const [, b] = [...net.namedParameters()].find(([path]) => path.endsWith('lora_B.weight')) ?? [];
        b?.assign(tf.fill([6, 2], 0.5));
      },
      () => setAdapterScale(net, 0.5),
      () => setAdapterScale(net, 0),
      () => setAdapterScale(net, 1),
      () => mergeLora(net),
    ];
    const seen: string[] = [];
    for (const step of steps) {
      await captured(net, passes, 5);
      step();
      for (let i = 0; i < 4; i++) expect(await numbers(net, inputs(5, 3), passes)).toEqual(await numbers(net, inputs(5, 3)));
      seen.push(String(await numbers(net, inputs(5, 3), passes)));
    }
    // B is zero at first, which a scale of 0 equals; B set; half of it.
    expect(new Set(seen.slice(0, 5)).size).toBe(3);
  });

  it('that read values on the host, or a tensor from elsewhere, are never graphs', async () => {
    const outside = tf.tensor1d([10, 20]);
    const compute = ({ x }: { x: tf.Tensor }) => ({ y: x.dataSync()[0] === 1 ? tf.add(x, 10) : tf.mul(x, 10) });
    const far = ({ x }: { x: tf.Tensor }) => ({ y: tf.add(x, outside) });
    const run = async (name: string, fn: typeof compute, values: [number, number]) => {
      const result = [...(await passes.run(name, { x: tf.tensor1d(values) }, fn).y.data())];
      await passes.settle();
      return result;
    };
    for (let i = 0; i < 4; i++) {
      expect(await run('values', compute, [1, 2])).toEqual([11, 12]);
      expect(await run('values', compute, [3, 2])).toEqual([30, 20]);
      expect(await run('tensor', far, [i, 2])).toEqual([10 + i, 22]);
    }
  });

  itUnless(missing, 'run as a graph although a part of the model that they do not use has no values', async () => {
    class Part extends Module {
      readonly used = this.child('used', new Linear(6, 6));
      readonly unused = this.child('unused', new Linear(6, 6));
    }
    const part = new Part();
    part.used.initialise(Rng.seeded(1));
    const own = new InferencePasses(part);
    const x = normalTensor([5, 6], 1);
    let runs = 0;
    for (let i = 0; i < 5; i++) {
      own.run('part', { x }, (inputs) => {
        runs += 1;
        return { y: part.used.forward(inputs.x) };
      });
      await own.settle();
    }
    expect(runs).toBe(3);
    own.dispose();
  });

  it('of a model whose parameters are not known run operation by operation', async () => {
    const weight = { value: tf.scalar(2) };
    const own = new InferencePasses({ weight });
    for (const factor of [2, 3, 4, 5, 6]) {
      weight.value = tf.scalar(factor);
      const { y } = own.run('product', { x: tf.tensor1d([1, 2]) }, ({ x }) => ({ y: tf.mul(x, weight.value) }));
      expect([...(await y.data())]).toEqual([factor, 2 * factor]);
      await own.settle();
    }
  });

  it('let gradients through', async () => {
    await captured(net, passes, 5);
    const given = inputs(5, 3);
    const sum = (x: tf.Tensor) => tf.sum(passes.run('net', { ...given, x }, (own) => net.forward(own)).y);
    const gradient = tf.grad(sum)(given.x);
    expect((await gradient.data()).some((value) => value !== 0)).toBe(true);
  });

  it('fail as without recording, and work afterwards', async () => {
    await captured(net, passes, 5);
    const wrong: Inputs = { x: normalTensor([5, 7], 1), more: { scale: tf.scalar(1), times: 1 } };
    const { runs } = net;
    for (let i = 0; i < 4; i++) await expect(numbers(net, wrong, passes)).rejects.toThrow('linear');
    // None was tried twice.
    expect(net.runs - runs).toBe(4);
    expect(await numbers(net, inputs(5, 3), passes)).toEqual(await numbers(net, inputs(5, 3)));
  });

  it('asked for while one is compiled are answered all the same', async () => {
    const ask = async (i: number) => {
      const { y } = passes.run('net', inputs(5, i), (own) => net.forward(own));
      return [...(await y.data())];
    };
    const answers = await Promise.all([0, 1, 2, 3, 4].map(ask));
    await passes.settle();
    expect(await Promise.all([0, 1, 2, 3, 4].map(ask))).toEqual(answers);
  });

  it('never run as a graph of an adapter that changed while it was compiled', async () => {
    applyLora(net, { rank: 2, alpha: 4, targetModules: ['q'] }, Rng.seeded(2));
    const [, b] = [...net.namedParameters()].find(([path]) => path.endsWith('lora_B.weight')) ?? [];
    b?.assign(tf.fill([6, 2], 0.5));
    for (const scale of [1, 0.25]) {
      setAdapterScale(net, scale);
      for (let i = 0; i < 3; i++) passes.run('net', inputs(5, i), (own) => net.forward(own));
    }
    await passes.settle();
    for (let i = 0; i < 2; i++) expect(await numbers(net, inputs(5, 3), passes)).toEqual(await numbers(net, inputs(5, 3)));
  });

  it('leave no tensor behind', async () => {
    const given = inputs(5, 1);
    for (let i = 0; i < 5; i++) expect(await leakOf(() => numbers(net, given, passes))).toBe(0);
    expect(await leakOf(() => passes.dispose())).toBe(0);
  });

  itUnless(missing, 'of ever new shapes hold a limited number of graphs, and none after their end', async () => {
    let alive = 0;
    const { compile } = CompiledGraph;
    jest.spyOn(CompiledGraph, 'compile').mockImplementation(async (part) => {
      alive += 1;
      return compile.call(CompiledGraph, part);
    });
    const { dispose } = CompiledGraph.prototype;
    jest.spyOn(CompiledGraph.prototype, 'dispose').mockImplementation(function (this: CompiledGraph) {
      alive -= 1;
      dispose.call(this);
    });
    for (let rows = 1; rows <= 40; rows++) await captured(net, passes, rows);
    expect(alive).toBe(32);
    expect(await runsAsGraph(net, passes, inputs(40, 1))).toBe(true);
    expect(await runsAsGraph(net, passes, inputs(1, 1))).toBe(false);
    // Disposed while it is compiled.
    for (let i = 0; i < 3; i++) tf.dispose(passes.run('net', inputs(50, i), (own) => net.forward(own)).y);
    passes.dispose();
    await passes.settle();
    expect(alive).toBe(0);
  });
});
