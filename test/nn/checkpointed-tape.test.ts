import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import {
  CheckpointedTape,
  Draws,
  dropout,
  type ForwardContext,
  inference,
  Linear,
  Module,
  PassSeed,
} from '../../src/nn/index.js';
import { Rng } from '../../src/util/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectClose } from '../support/compare.js';

useBackend();

/** Two layers of which the first is used twice, a skip around the second, and dropout between. */
class Net extends Module {
  readonly first = this.child('first', new Linear(3, 3));
  readonly second = this.child('second', new Linear(3, 3));

  forward(x: tf.Tensor, context: ForwardContext): tf.Tensor {
    const { a } = context.block(this.first, { x }, (inputs, mode) => ({
      a: dropout(tf.tanh(this.first.forward(inputs.x)), 0.3, mode),
    }));
    const { b } = context.block(this.second, { a }, (inputs) => ({
      b: tf.add(tf.tanh(this.second.forward(inputs.a)), inputs.a),
    }));
    return context.block(this.first, { a, b }, (inputs) => ({ y: tf.mul(this.first.forward(inputs.b), inputs.a) })).y;
  }
}

function build(): { net: Net; x: tf.Tensor; dy: tf.Tensor } {
  const net = new Net();
  net.initialise(Rng.seeded(1));
  const x = tf.tensor([0.1, -0.4, 0.7, 0.3, 0.2, -0.9], [2, 3]);
  const dy = tf.tensor([1, -2, 0.5, 0.3, 1.1, -0.7], [2, 3]);
  return { net, x, dy };
}

describe('CheckpointedTape', () => {
  it('gives the gradients of one whole tape', async () => {
    const { net, x, dy } = build();
    const tape = new CheckpointedTape(Rng.seeded(5));
    const y = net.forward(x, tape);
    const { gradients } = tape.backward([[y, dy]]);
    const whole = tf.variableGrads(() => {
      const seed = new PassSeed(Rng.seeded(5).uint32());
      let block = 0;
      const context: ForwardContext = {
        training: true,
        block: (_owners, inputs, fn) => fn(inputs, { training: true, draws: new Draws(seed, block++) }),
        detach: (t) => t,
      };
      return tf.sum(tf.mul(net.forward(x, context), dy)) as tf.Scalar;
    });
    expect(gradients.size).toBe(4);
    for (const [parameter, gradient] of gradients)
      await expectClose(gradient, whole.grads[parameter.value.name] as tf.Tensor, 1e-5);
  });

  it('does not record what nothing trainable leads to', () => {
    const { net, x, dy } = build();
    net.first.setTrainable(false);
    const tape = new CheckpointedTape(Rng.seeded(5));
    const y = net.forward(x, tape);
    const { gradients } = tape.backward([[y, dy]]);
    expect(tape.length).toBe(2);
    expect([...gradients.keys()]).toEqual(expect.arrayContaining([net.second.weight, net.second.bias]));
    expect(gradients.size).toBe(2);
  });

  it('refuses an output that no block recorded', () => {
    const { net, x, dy } = build();
    const tape = new CheckpointedTape(Rng.seeded(5));
    const y = tf.mul(net.forward(x, tape), 2);
    expect(() => tape.backward([[y, dy]])).toThrow('does not come from a recorded block');
  });

  it('neither computes again nor gives gradients of what the outputs asked for do not depend on', async () => {
    const { net, x, dy } = build();
    const runs = { a: 0, b: 0, fork: 0 };
    const counted = (context: ForwardContext) => {
      const { a } = context.block([], { x: start(context) }, (inputs) => {
        runs.a += 1;
        return { a: tf.tanh(inputs.x) };
      });
      const { b } = context.block(net.second, { x }, (inputs) => {
        runs.b += 1;
        return { b: net.second.forward(inputs.x) };
      });
      const { u, v } = context.block(net, { a, b }, (inputs) => {
        runs.fork += 1;
        return { u: net.first.forward(inputs.a), v: net.second.forward(inputs.b) };
      });
      return { u, v, b };
    };
    const start = (context: ForwardContext) =>
      context.block(net.first, { x }, (inputs) => ({ y: net.first.forward(inputs.x) })).y;
    const of = (wanted: ('u' | 'v' | 'b')[]) => {
      Object.assign(runs, { a: 0, b: 0, fork: 0 });
      const tape = new CheckpointedTape(Rng.seeded(5));
      const outputs = counted(tape);
      const { gradients } = tape.backward(wanted.map((name) => [outputs[name], dy] as const));
      tape.dispose();
      return { gradients, runs: { ...runs } };
    };
    const { first, second } = net;
    const [u, v, b, both] = [of(['u']), of(['v']), of(['b']), of(['u', 'b'])];
    expect([u, v, b, both].map((one) => one.runs)).toEqual([
      { a: 2, b: 1, fork: 2 },
      { a: 1, b: 2, fork: 2 },
      { a: 1, b: 2, fork: 1 },
      { a: 2, b: 2, fork: 2 },
    ]);
    expect([u, v, b].map(({ gradients }) => new Set(gradients.keys()))).toEqual([
      new Set([first.weight, first.bias]),
      new Set([second.weight, second.bias]),
      new Set([second.weight, second.bias]),
    ]);
    for (const { gradients } of [u, b])
      for (const [parameter, gradient] of gradients)
        expect(await both.gradients.get(parameter)?.data()).toEqual(await gradient.data());
  });

  it('needs inputs no longer once the block has run, and takes none for one that is left out', async () => {
    const { net, x, dy } = build();
    const gradientsOf = (freed: boolean) => {
      const tape = new CheckpointedTape(Rng.seeded(5));
      const given: { x: tf.Tensor; more: tf.Tensor | undefined } = { x: x.clone(), more: undefined };
      const { y } = tape.block(net.first, given, (inputs) => ({
        y: tf.tanh(net.first.forward(inputs.more ?? inputs.x)),
        rest: inputs.more,
      }));
      if (freed) given.x.dispose();
      return [...tape.backward([[y, dy]]).gradients.values()];
    };
    const [freed, kept] = [gradientsOf(true), gradientsOf(false)];
    expect(freed).toHaveLength(2);
    for (const [i, gradient] of freed.entries()) expect(await gradient.data()).toEqual(await kept[i]?.data());
  });

  it('lets no gradient through what is detached, and leaves its values', async () => {
    const { net, x, dy } = build();
    const tape = new CheckpointedTape(Rng.seeded(5));
    const { a } = tape.block(net.first, { x }, (inputs) => ({ a: net.first.forward(inputs.x) }));
    const still = tape.detach(a);
    const { y } = tape.block(net.second, { still }, (inputs) => ({ y: net.second.forward(inputs.still) }));
    expect(await still.data()).toEqual(await a.data());
    expect([a, still, y].map((tensor) => tape.isTracked(tensor))).toEqual([true, false, true]);
    expect(new Set(tape.backward([[y, dy]]).gradients.keys())).toEqual(new Set([net.second.weight, net.second.bias]));
  });

  it('leaves no tensor behind but the gradients', async () => {
    const { net, x, dy } = build();
    const leak = await leakOf(() => {
      const tape = new CheckpointedTape(Rng.seeded(5));
      const y = net.forward(x, tape);
      const { gradients } = tape.backward([[y, dy]]);
      for (const gradient of gradients.values()) gradient.dispose();
      tape.dispose();
    });
    expect(leak).toBe(0);
  });

  it('agrees with inference where nothing is random', async () => {
    const { net, x } = build();
    const linear = (context: ForwardContext) =>
      context.block(net.second, { x }, (inputs) => ({ y: net.second.forward(inputs.x) })).y;
    await expectClose(linear(new CheckpointedTape(Rng.seeded(0))), linear(inference), 1e-7);
  });
});
