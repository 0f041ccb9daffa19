import { describe, expect, it } from '@jest/globals';
import { initBackend, tf } from '../../src/backend/index.js';
import { CapturedPasses } from '../../src/nn/captured-passes.js';
import { dropout, type ForwardContext, Linear, Module, TrainingPasses } from '../../src/nn/index.js';
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
  readonly outside = tf.keep(tf.scalar(0.5));

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
    const graph = await CapturedPasses.record(net, of(0), Rng.seeded(0), { checkpoint: true });
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

  it('leave no tensor behind', async () => {
    const net = new Net();
    const captured = new TrainingPasses(net, { capture: true });
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
