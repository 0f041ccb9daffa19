import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { CompiledGraph, initBackend, tf } from '../../src/backend/index.js';
import { CapturedPasses } from '../../src/nn/captured-passes.js';
import { CheckpointedTape } from '../../src/nn/checkpointed-tape.js';
import { constant, dropout, type ForwardContext, Linear, Module, TrainingPasses } from '../../src/nn/index.js';
import { Rng } from '../../src/util/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { normalTensor } from '../support/random.js';
import { itUnless, notNative } from '../support/skipped.js';

useBackend();
const missing = notNative(await initBackend());

type Also = 'nothing' | 'dropout' | 'outside';

interface PassOptions {
  readonly also?: Also;
  readonly only?: 'both' | 'the second';
  readonly seed?: number;
}

/** A frozen layer, a trained one that is used twice, and dropout, or a tensor of its own, where they are asked for. */
class Net extends Module {
  readonly frozen = this.child('frozen', new Linear(3, 4));
  readonly trained = this.child('trained', new Linear(4, 4));
  runs = 0;
  outside = tf.keep(tf.scalar(0.5));

  constructor() {
    super();
    this.initialise(Rng.seeded(1));
    this.frozen.setTrainable(false);
  }

  forward(x: tf.Tensor, context: ForwardContext, also: Also = 'nothing'): { y: tf.Tensor; parts: { sum: tf.Tensor }[] } {
    this.runs += 1;
    return tf.tidy(() => this.compute(x, context, also));
  }

  private compute(x: tf.Tensor, context: ForwardContext, also: Also): { y: tf.Tensor; parts: { sum: tf.Tensor }[] } {
    const { a } = context.block(this.frozen, { x }, (inputs) => ({ a: tf.tanh(this.frozen.forward(inputs.x)) }));
    const { y } = context.block(this.trained, { a }, (inputs, mode) => {
      const b = tf.tanh(this.trained.forward(inputs.a));
      const c = also === 'outside' ? tf.mul(b, this.outside) : b;
      return { y: this.trained.forward(dropout(c, also === 'dropout' ? 0.4 : 0, mode)) };
    });
    const { sum } = context.block(this.trained, { y }, (inputs) => ({ sum: tf.sum(tf.square(inputs.y), 1) }));
    return { y, parts: [{ sum }] };
  }
}

afterEach(() => void jest.restoreAllMocks());

const batch = (rows: number, seed: number) => normalTensor([rows, 3], seed);

/** Outputs and gradients of one pass. */
async function pass(
  net: Net,
  passes: TrainingPasses,
  x: tf.Tensor,
  { also = 'nothing', only = 'both', seed = 7 }: PassOptions = {},
) {
  const forward = (context: ForwardContext) => net.forward(x, context, also);
  const made = await passes.forward({ variant: also, inputs: { x }, forward }, Rng.seeded(seed));
  const { y, parts } = made.outputs;
  const [part] = parts as [{ sum: tf.Tensor }];
  const at = [[y, tf.mul(y, 0.5)] as const, [part.sum, tf.onesLike(part.sum)] as const];
  const gradients = made.backward(only === 'both' ? at : at.slice(1));
  const outputs = [y.clone(), part.sum.clone()];
  tf.dispose(at.map(([, gradient]) => gradient));
  made.dispose();
  return { outputs, gradients };
}

async function expectSame(net: Net, x: tf.Tensor, captured: TrainingPasses, options: PassOptions = {}) {
  const eager = new TrainingPasses(net);
  const [expected, actual] = [await pass(net, eager, x, options), await pass(net, captured, x, options)];
  for (const [i, output] of expected.outputs.entries()) await expectClose(actual.outputs[i] as tf.Tensor, output, 1e-6);
  expect([...actual.gradients.keys()]).toEqual([...expected.gradients.keys()]);
  expect(actual.gradients.size).toBe(2);
  for (const [parameter, gradient] of expected.gradients)
    await expectClose(actual.gradients.get(parameter) as tf.Tensor, gradient, 1e-5);
}

describe('passes as graphs', () => {
  it('give the outputs and gradients of single operations, for other inputs, weights and output gradients too', async () => {
    const net = new Net();
    const captured = new TrainingPasses(net, { capture: true });
    await expectSame(net, batch(5, 1), captured);
    await expectSame(net, batch(5, 2), captured);
    for (const { weight } of [net.trained, net.frozen]) weight.assign(tf.add(weight.value, 0.25));
    await expectSame(net, batch(5, 2), captured);
    await expectSame(net, batch(5, 3), captured, { only: 'the second' });
    await expectSame(net, batch(2, 3), captured);
    captured.dispose();
  });

  itUnless(missing, 'run nothing of the model any more once they are made', async () => {
    const net = new Net();
    const captured = new TrainingPasses(net, { capture: true });
    await pass(net, captured, batch(5, 1));
    const { runs } = net;
    await pass(net, captured, batch(5, 2));
    expect(net.runs).toBe(runs);
    captured.dispose();
  });

  it('draw other random numbers in each pass, the same as single operations', async () => {
    const net = new Net();
    const captured = new TrainingPasses(net, { capture: true });
    await expectSame(net, batch(5, 1), captured, { also: 'dropout', seed: 1 });
    await expectSame(net, batch(5, 1), captured, { also: 'dropout', seed: 2 });
    const [first, second] = [1, 2].map((seed) => pass(net, captured, batch(5, 1), { also: 'dropout', seed }));
    expect(await (await first)?.outputs[0]?.data()).not.toEqual(await (await second)?.outputs[0]?.data());
    captured.dispose();
  });

  itUnless(missing, 'have the bits of single operations where blocks are computed again', async () => {
    const net = new Net();
    const x = batch(5, 1);
    const of = (seed: number) => ({ variant: '', inputs: { x }, forward: (context: ForwardContext) => net.forward(x, context, 'dropout'), seed }); // biome-ignore format: short
    const graph = await CapturedPasses.record(net, of(0), Rng.seeded(0), 0);
    expect(graph?.checkpointed).toBe(true);
    for (const seed of [1, 2]) {
      const made = [
        await new TrainingPasses(net).forward(of(seed), Rng.seeded(seed)),
        (graph as CapturedPasses).forward<ReturnType<Net['forward']>>({ x }, Rng.seeded(seed)),
      ];
      const results = made.map((one) => [one.outputs.y, ...one.backward([[one.outputs.y, tf.cos(one.outputs.y)]]).values()]);
      const [single, recorded] = await Promise.all(results.map((list) => Promise.all(list.map((tensor) => tensor.data()))));
      expect(single).toHaveLength(3);
      expect(recorded).toEqual(single);
    }
    graph?.dispose();
  });

  itUnless(missing, 'are made of some shapes although others cannot be graphs, whichever come first', async () => {
    const net = new Net();
    const captured = new TrainingPasses(net, { capture: true });
    await pass(net, captured, batch(5, 1), { also: 'outside' });
    await pass(net, captured, batch(5, 1));
    const { runs } = net;
    await pass(net, captured, batch(5, 2));
    expect(net.runs).toBe(runs);
    captured.dispose();
  });

  it('read a tensor that is no input as it is at each pass', async () => {
    const net = new Net();
    const captured = new TrainingPasses(net, { capture: true });
    for (const value of [0.5, 2]) {
      net.outside = tf.keep(tf.scalar(value));
      for (let i = 0; i < 2; i++) await expectSame(net, batch(5, i), captured, { also: 'outside' });
    }
    captured.dispose();
  });

  itUnless(missing, 'compute blocks again where both passes would take more memory than the limit', async () => {
    // Two results of 1 MB and, between them, one that shares its memory.
    class Wide extends Module {
      readonly scale = this.parameter('scale', [250], { init: constant(1) });
      runs = 0;

      forward(x: tf.Tensor, context: ForwardContext): { y: tf.Tensor } {
        this.runs += 1;
        return context.block(this.scale, { x }, (inputs) => ({
          y: tf.square(tf.reshape(tf.mul(inputs.x, this.scale.value), [-1])),
        }));
      }
    }
    const x = normalTensor([1000, 250], 1);
    const backward = jest.spyOn(CheckpointedTape.prototype, 'backward');
    const made = async (largestMb: number) => {
      const wide = new Wide();
      wide.initialise(Rng.seeded(1));
      backward.mockClear();
      const pass = { variant: '', inputs: { x }, forward: (context: ForwardContext) => wide.forward(x, context) };
      const graph = await CapturedPasses.record(wide, pass, Rng.seeded(1), largestMb);
      graph?.dispose();
      return { checkpointed: graph?.checkpointed, backward: backward.mock.calls.length };
    };
    // The forward pass takes 2 MB and the backward pass about that again: known from the forward pass alone up to 3.6 MB.
    expect(await made(3.6)).toEqual({ checkpointed: true, backward: 1 });
    expect(await made(3.61)).toEqual({ checkpointed: true, backward: 2 });
    expect(await made(100)).toEqual({ checkpointed: false, backward: 1 });
    backward.mockRestore();
  });

  itUnless(missing, 'that compute blocks again hold nothing between both passes but outputs and inputs of blocks', async () => {
    const net = new Net();
    const x = batch(5, 1);
    const pass = { variant: '', inputs: { x }, forward: (context: ForwardContext) => net.forward(x, context) };
    const graph = await CapturedPasses.record(net, pass, Rng.seeded(1), 0);
    const before = tf.memory().numDataBuffers;
    const made = graph?.forward({ x }, Rng.seeded(1));
    // The first block's result, the outputs y and sum, and the seed.
    expect(tf.memory().numDataBuffers - before).toBe(4);
    made?.dispose();
    graph?.dispose();
  });

  itUnless(missing, 'throw the errors of the model', async () => {
    const net = new Net();
    const pass = {
      variant: '',
      inputs: { x: batch(5, 1) },
      forward: () => {
        throw new RangeError('of the model');
      },
    };
    const leak = await leakOf(() => expect(CapturedPasses.record(net, pass, Rng.seeded(1))).rejects.toThrow('of the model'));
    expect(leak).toBe(0);
  });

  itUnless(missing, 'of a large model are made when shapes come for the third time', async () => {
    const net = new Net();
    const captured = new TrainingPasses(net, { capture: true });
    const { record } = CapturedPasses;
    const recorded = jest
      .spyOn(CapturedPasses, 'record')
      .mockImplementation((model, of, rng) => record.call(CapturedPasses, model, of, rng, 0) as never);
    const counts: number[] = [];
    // Of the first shapes it is not yet known that the model is large.
    for (const rows of [5, 6, 6, 6, 6]) {
      await pass(net, captured, batch(rows, 1));
      counts.push(recorded.mock.calls.length);
    }
    expect(counts).toEqual([1, 1, 1, 2, 2]);
    captured.dispose();
  });

  itUnless(missing, 'of ever new shapes hold a limited number of graphs, the latest ones, and none after their end', async () => {
    let alive = 0;
    const { compile } = CompiledGraph;
    jest.spyOn(CompiledGraph, 'compile').mockImplementation((part) => {
      alive += 1;
      return compile.call(CompiledGraph, part);
    });
    const { dispose } = CompiledGraph.prototype;
    jest.spyOn(CompiledGraph.prototype, 'dispose').mockImplementation(function (this: CompiledGraph) {
      alive -= 1;
      dispose.call(this);
    });
    const net = new Net();
    const captured = new TrainingPasses(net, { capture: true });
    for (let rows = 1; rows <= 34; rows++) await pass(net, captured, batch(rows, 1));
    // One for each direction.
    expect(alive).toBe(2 * 32);
    const again = async (rows: number) => {
      const { runs } = net;
      await pass(net, captured, batch(rows, 1));
      return net.runs > runs;
    };
    expect([await again(34), await again(3), await again(2)]).toEqual([false, false, true]);
    captured.dispose();
    expect(alive).toBe(0);
  });

  it.each([false, true])('tell which outputs depend on what is trained, as graphs: %s', async (capture) => {
    const net = new Net();
    const passes = new TrainingPasses(net, { capture });
    const x = batch(5, 1);
    const forward = (context: ForwardContext) => ({ y: net.forward(x, context).y, still: net.frozen.forward(x) });
    const made = await passes.forward({ variant: '', inputs: { x }, forward }, Rng.seeded(1));
    const { y, still } = made.outputs;
    expect([y, still, x].map((tensor) => made.depends(tensor))).toEqual([true, false, false]);
    made.dispose();
    passes.dispose();
  });

  it('are only made where they are asked for', async () => {
    const net = new Net();
    const passes = new TrainingPasses(net);
    for (const runs of [1, 2, 3]) {
      await pass(net, passes, batch(5, 1));
      expect(net.runs).toBe(runs);
    }
  });

  it.each([false, true])('leave no tensor behind, as graphs: %s', async (capture) => {
    const net = new Net();
    const captured = new TrainingPasses(net, { capture });
    const x = batch(5, 1);
    const one = async () => {
      const { outputs, gradients } = await pass(net, captured, x);
      tf.dispose([outputs, [...gradients.values()]]);
    };
    expect(await leakOf(one)).toBe(0);
    expect(await leakOf(one)).toBe(0);
    expect(await leakOf(() => captured.dispose())).toBe(0);
  });
});
