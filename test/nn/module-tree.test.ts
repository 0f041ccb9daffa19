import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { Embedding, inference, Linear, Module, Parameter, zeros } from '../../src/nn/index.js';
import { computationRevision } from '../../src/nn/revision.js';
import { Rng } from '../../src/util/index.js';
import { leakOf, useBackend } from '../support/backend.js';

useBackend();

class Inner extends Module {
  readonly scale = this.parameter('scale', [2], { init: zeros });
  readonly only = this.child('only', new Linear(2, 2));
}

/** Children in a field, in a list, in a record, and one that is shared. */
class Outer extends Module {
  readonly inner = this.child('inner', new Inner());
  readonly list = this.childList('list', [new Linear(2, 2), new Linear(2, 2)]);
  readonly record = { left: this.child('left', new Embedding(3, 2)), rate: 0.5, nothing: null };
  readonly shared = this.child('shared', this.inner.only);

  twice(): void {
    this.child('inner', new Linear(1, 1));
  }

  twiceParameter(): void {
    for (let i = 0; i < 2; i++) this.adopt('again', this.inner.scale);
  }
}

const set = (outer: Outer) => {
  outer.initialise(Rng.seeded(1));
  return outer;
};

describe('the tree of a module', () => {
  it('has a path for each module and parameter, parents first, as often as it is shared', () => {
    const outer = new Outer();
    expect([...outer.namedModules()].map(([path]) => path)).toEqual(
      ['', 'inner', 'inner.only', 'list.0', 'list.1', 'left', 'shared'], // biome-ignore format: short
    );
    expect([...outer.namedModules('model')].map(([path]) => path).slice(0, 3)).toEqual([
      'model',
      'model.inner',
      'model.inner.only',
    ]);
    expect([...outer.namedParameters()].map(([path]) => path)).toEqual([
      'inner.scale',
      ...['inner.only', 'list.0', 'list.1'].flatMap((path) => [`${path}.weight`, `${path}.bias`]),
      'left.weight',
      'shared.weight',
      'shared.bias',
    ]);
    expect([...outer.inner.namedParameters('inner')].map(([path]) => path)).toEqual([
      'inner.scale',
      'inner.only.weight',
      'inner.only.bias',
    ]);
    expect(outer.trainableParameters()).toHaveLength(8);
  });

  it('refuses two children or two parameters of one name', () => {
    const outer = new Outer();
    expect(() => outer.twice()).toThrow('Outer: two children are named inner');
    expect(() => outer.twiceParameter()).toThrow('Outer: two parameters are named again');
  });

  it('replaces a module where it is registered and where it is used', () => {
    const outer = new Outer();
    const { rate, nothing } = outer.record;
    const before = computationRevision();
    const [only, first, left] = [new Linear(2, 2), new Linear(2, 2), new Embedding(3, 2)];
    const old = outer.shared;
    outer.replace('inner.only', only);
    outer.replace('list.1', first);
    outer.replace('left', left);
    expect(outer.inner.only).toBe(only);
    expect(outer.list[1]).toBe(first);
    expect(outer.record).toEqual({ left, rate, nothing });
    const paths = new Map(outer.namedModules());
    expect(['inner.only', 'list.1', 'left'].map((path) => paths.get(path))).toEqual([only, first, left]);
    // Shared modules are replaced along one path, neighbours not at all.
    expect([paths.get('shared'), outer.shared, paths.get('list.0')]).toEqual([old, old, outer.list[0]]);
    expect(computationRevision() - before).toBe(3);
  });

  it('says that there is nothing to replace at a path', () => {
    const outer = new Outer();
    const before = computationRevision();
    expect(() => outer.replace('list', new Linear(2, 2))).toThrow('Outer: there is no module at list');
    expect(() => outer.replace('inner.other', new Linear(2, 2))).toThrow('Inner: there is no module at other');
    expect(computationRevision()).toBe(before);
  });

  it('freezes and thaws what is below', () => {
    const outer = set(new Outer());
    outer.inner.setTrainable(false);
    expect(outer.trainableParameters()).toEqual([
      ...outer.list.flatMap(({ weight, bias }) => [weight, bias]),
      outer.record.left.weight,
    ]);
    expect([outer.inner.trainable, outer.trainable]).toEqual([false, true]);
    outer.inner.setTrainable(true);
    expect(outer.trainableParameters()).toHaveLength(8);
  });

  it('draws values only for what has none', () => {
    const outer = new Outer();
    outer.inner.scale.assign(tf.tensor1d([3, 4]));
    expect(outer.built).toBe(false);
    outer.initialise(Rng.seeded(1));
    expect(outer.built).toBe(true);
    expect([...outer.inner.scale.value.dataSync()]).toEqual([3, 4]);
  });

  it('without parameters has nothing to build, and can be trained', () => {
    class Empty extends Module {}
    const empty = new Empty();
    empty.build([null]);
    expect([empty.built, empty.trainable, empty.countParams()]).toEqual([true, true, 0]);
  });

  it('frees the values of all', async () => {
    expect(await leakOf(() => set(new Outer()).dispose())).toBe(0);
  });
});

describe('a parameter', () => {
  const make = (trainable?: boolean) => {
    const parameter = new Parameter([2, 3], { init: zeros });
    if (trainable !== undefined) parameter.trainable = trainable;
    return parameter;
  };

  it('is trainable unless it is frozen, before it has values and after', () => {
    for (const frozen of [false, true]) {
      const parameter = make(!frozen);
      parameter.initialise(Rng.seeded(1));
      expect([parameter.trainable, parameter.value.trainable]).toEqual([!frozen, !frozen]);
      parameter.trainable = frozen;
      expect([parameter.trainable, parameter.value.trainable]).toEqual([frozen, frozen]);
    }
    expect(make().trainable).toBe(true);
  });

  it('belongs to a model, in the layout of memory, unless it says otherwise', () => {
    const lora = new Parameter([2], { init: zeros, adapter: true, layout: 'map' });
    expect([make(), lora].map(({ adapter, layout }) => [adapter, layout])).toEqual([
      [false, 'same'],
      [true, 'map'],
    ]);
  });

  it('copies values, into the same variable again, and refuses those of another shape', async () => {
    const parameter = make();
    const leak = await leakOf(() => {
      const values = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
      parameter.assign(values);
      values.dispose();
    });
    expect(leak).toBe(1);
    const { value } = parameter;
    parameter.assign(tf.ones([2, 3]));
    expect(parameter.value).toBe(value);
    expect([...value.dataSync()]).toEqual(Array(6).fill(1));
    expect(parameter.stored).toBe(value);
    expect(() => parameter.assign(tf.ones([3, 2]))).toThrow(/Parameter.assign.*\[2, ?3\].*\[3, ?2\]/);
  });

  it('has no value before it was given one, nor after it was freed', async () => {
    const unset = /a parameter of shape \[2, 3\] is used before it was loaded or initialised/;
    const leak = await leakOf(() => {
      const parameter = make();
      expect(parameter.isSet).toBe(false);
      expect(() => parameter.value).toThrow(unset);
      parameter.dispose();
      parameter.initialise(Rng.seeded(1));
      expect([parameter.isSet, parameter.packed]).toEqual([true, undefined]);
      parameter.dispose();
      expect(parameter.isSet).toBe(false);
      expect(() => parameter.stored).toThrow(unset);
    });
    expect(leak).toBe(0);
  });
});

describe('a weight of tf.layers', () => {
  it('is the parameter itself: its values, whether it is trained, and its end', () => {
    const layer = new Linear(2, 3);
    const [weight] = layer.weights;
    expect([weight?.shape, weight?.dtype]).toEqual([[3, 2], 'float32']);
    expect(() => weight?.read()).toThrow('before it was loaded');
    weight?.write(tf.ones([3, 2]));
    expect(weight?.read()).toBe(layer.weight.value);
    (weight as { trainable: boolean }).trainable = false;
    expect([layer.weight.trainable, weight?.trainable]).toEqual([false, false]);
    weight?.dispose();
    expect(layer.weight.isSet).toBe(false);
  });
});

describe('a block outside of training', () => {
  it('draws nothing, and leaves its outputs alone', async () => {
    const x = tf.tensor1d([1, 2]);
    const modes: boolean[] = [];
    const leak = await leakOf(() => {
      const { y } = inference.block([], { x }, (inputs, { training }) => {
        modes.push(training);
        return { y: tf.add(tf.mul(inputs.x, 2), 1) };
      });
      expect([...y.dataSync()]).toEqual([3, 5]);
      y.dispose();
    });
    expect([leak, ...modes, inference.training]).toEqual([0, false, false]);
  });

  it('detaches by a copy of its own', () => {
    const x = tf.tensor1d([1, 2]);
    const copy = inference.detach(x);
    x.dispose();
    expect([...copy.dataSync()]).toEqual([1, 2]);
  });
});
