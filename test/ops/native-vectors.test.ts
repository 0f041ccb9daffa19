import { spawnSync } from 'node:child_process';
import { expect, it } from '@jest/globals';
import { backendFacts, nativeAttention, nativeLayerNorm, nativeLinear, nativeMlp, tf } from '../../src/backend/index.js';
import { geluByOperation, portableGelu } from '../../src/nn/activation.js';
import { addLinear, Linear, type Parameter, throughHidden } from '../../src/nn/index.js';
import { layerNormByOperation, portableLayerNorm } from '../../src/nn/layer-norm.js';
import { groupAttention } from '../../src/ops/group-attention.js';
import { attend, mergeHeads, scaledDotProductAttention, splitHeads } from '../../src/ops/index.js';
import { windowRows } from '../../src/ops/window-rows.js';
import { Rng } from '../../src/util/index.js';
import { leakOf } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { describeNative, nativeOpsMissing } from '../support/native-ops.js';

const random = (shape: number[], seed: number, spread = 1): tf.Tensor => {
  const rng = Rng.seeded(seed);
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => spread * rng.normal());
  return tf.tensor(values, shape);
};

const missing = await nativeOpsMissing();

describeNative(missing, 'the native layer norm', () => {
  it.each([[[3, 5, 7]], [[2, 3, 1]], [[600, 96]], [[7, 43]], [[2, 1536]], [[0, 8]]])(
    'equals the portable implementation: %j',
    async (shape) => {
      const features = shape.at(-1) as number;
      const inputs = [random(shape, 1, 3), random([features], 2), random([features], 3)] as [tf.Tensor, tf.Tensor, tf.Tensor];
      const dy = random(shape, 4);
      const [native, portable] = [layerNormByOperation, portableLayerNorm].map((way) => [
        way(...inputs, 1e-5),
        ...tf.grads((x, w, b) => way(x as tf.Tensor, w as tf.Tensor, b as tf.Tensor, 1e-5))(inputs, dy),
      ]) as [tf.Tensor[], tf.Tensor[]];
      for (const [i, tensor] of native.entries()) {
        // One feature is its own mean: nothing is left of the gradient but noise.
        if (features > 1 || i !== 1) await expectClose(tensor, portable[i] as tf.Tensor, 1e-5);
      }
    },
  );

  it('has the slope of its values', async () => {
    const [x, w, b] = [random([3, 5], 1), random([5], 2), random([5], 3)];
    const out = (input: tf.Tensor) => tf.sum(tf.sin(layerNormByOperation(input, w, b, 1e-5))).dataSync()[0] as number;
    const slope = tf
      .grad((input) => tf.sum(tf.sin(layerNormByOperation(input, w, b, 1e-5))))(x)
      .dataSync();
    const step = 1e-2;
    for (let i = 0; i < 15; i++) {
      const moved = (by: number) =>
        tf.add(x, tf.mul(tf.reshape(tf.oneHot(tf.tensor1d([i], 'int32'), 15, 1, 0, 'float32'), [3, 5]), by));
      expect((out(moved(step)) - out(moved(-step))) / (2 * step)).toBeCloseTo(slope[i] as number, 2);
    }
  });

  it('refuses what does not fit', () => {
    expect(() => nativeLayerNorm(tf.ones([2, 3]), tf.ones([4]), tf.ones([3]), 1e-5)).toThrow(
      /weight of the length.*\[2,3\], got \[4\]/,
    );
    expect(() => nativeLayerNorm(tf.scalar(1), tf.ones([1]), tf.ones([1]), 1e-5)).toThrow(/last axis/);
  });
});

describeNative(missing, 'the native GELU', () => {
  it('is what the portable one is, slopes too', async () => {
    const x = tf.concat([random([1001], 1, 2), tf.tensor1d([0, -0, 30, -30, 1e30, -1e30, 6, -6])]);
    const dy = random([1009], 2);
    await expectClose(geluByOperation(x), portableGelu(x), 1e-6);
    const near = x.slice(0, 1001);
    await expectClose(geluByOperation(near), portableGelu(near), 1e-6);
    const [native, portable] = [geluByOperation, portableGelu].map((way) => tf.grad((y) => way(y))(near, dy.slice(0, 1001)));
    await expectClose(native as tf.Tensor, portable as tf.Tensor, 1e-6);
  });
});

describeNative(missing, 'the native linear map', () => {
  it.each([
    ['none', (x: tf.Tensor) => x],
    ['relu', (x: tf.Tensor) => tf.relu(x)],
    ['gelu', portableGelu],
  ] as const)('with %s equals its separate steps', async (name, activate) => {
    const [x, w, b] = [random([37, 13], 1), random([21, 13], 2), random([21], 3)];
    const parts = activate(tf.add(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D, false, true), b));
    await expectClose(nativeLinear({ x, weight: w, bias: b }, name), parts, 2e-6);
  });

  // Few rows and many take different ways; inputs beyond one block, outputs that fill no panel, rows that fill no tile.
  it.each([
    [37, 13, 21],
    [256, 5, 1],
    [301, 13, 21],
    [1000, 200, 70],
    [259, 512, 33],
    [300, 2304, 40],
    [4099, 3, 64],
  ])('of %i rows, %i inputs and %i outputs equals its separate steps', async (rows, inputs, outputs) => {
    const [x, w, b] = [random([rows, inputs], 1), random([outputs, inputs], 2, inputs ** -0.5), random([outputs], 3)];
    const added = random([rows, outputs], 4);
    const sums = tf.add(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D, false, true), b);
    await expectClose(nativeLinear({ x, weight: w, bias: b }), sums, 1e-5);
    await expectClose(nativeLinear({ x, weight: w, bias: b, added }), tf.add(sums, added), 1e-5);
    for (const [name, activate] of [
      ['relu', tf.relu],
      ['gelu', portableGelu],
    ] as const) {
      await expectClose(nativeLinear({ x, weight: w, bias: b }, name), activate(sums), 1e-5);
      await expectClose(nativeLinear({ x, weight: w, bias: b, added }, name), tf.add(activate(sums), added), 1e-5);
    }
  });

  // TensorFlow's own product is the measure. What error to expect of the arithmetic: test/native/gemm-accuracy.cc.
  it.each([
    [32, 1],
    [384, 1],
    [577, 1],
    [1536, 1],
    [2048, 1],
    [384, 100],
    [2048, 100],
  ])('is as accurate as a float32 product: %i inputs, values within %i', async (inputs, sizes) => {
    const [x, w] = [0, 1].map((seed) => {
      const size = tf.exp(tf.mul(random([40, inputs], seed + 5, 0.5), Math.log(sizes)));
      return tf.mul(random([40, inputs], seed + 1), size);
    }) as [tf.Tensor2D, tf.Tensor2D];
    const [xs, ws] = [await x.data(), await w.data()];
    // A global name costs microseconds in the sandbox of a test: none within the innermost loop.
    const exact = Array.from({ length: 40 * 40 }, (_, i) => {
      const [row, column] = [Math.floor(i / 40) * inputs, (i % 40) * inputs];
      let [sum, size] = [0, 0];
      for (let k = 0; k < inputs; k++) {
        const term = (xs[row + k] as number) * (ws[column + k] as number);
        sum += term;
        size += term < 0 ? -term : term;
      }
      return { sum, size };
    });
    /** Root of the mean square of the errors, each relative to the sum of sizes of what is added up in it. */
    const error = async (product: tf.Tensor) => {
      const values = await product.data();
      const squares = exact.map(({ sum, size }, i) => (((values[i] as number) - sum) / size) ** 2);
      return Math.sqrt(squares.reduce((one, other) => one + other) / squares.length);
    };
    const own = await error(nativeLinear({ x, weight: w, bias: tf.zeros([40]) }));
    // TensorFlow sums blocks of 192 to 768 terms in a row, depending on the processor; AMX is at most 1.25 times
    // as far off as blocks of 192, for these numbers of inputs.
    expect(own).toBeLessThan(1.5 * (await error(tf.matMul(x, w, false, true))));
  });

  it('gives a row the same bits among few rows and among many', async () => {
    const [x, w, b] = [random([700, 200], 1), random([70, 200], 2), random([70], 3)];
    const all = await nativeLinear({ x, weight: w, bias: b }, 'gelu').data();
    for (const rows of [1, 7, 255, 256, 500]) {
      const some = await nativeLinear({ x: tf.slice(x, 0, rows), weight: w, bias: b }, 'gelu').data();
      expect(some).toEqual(all.slice(0, rows * 70));
    }
  });

  it('does not hide NaN', async () => {
    const x = tf.concat([tf.fill([1, 3], Number.NaN), tf.ones([299, 3])]);
    // Infinite, and what is not a number with all its bits set: either may come out as what is not a number.
    const odd = tf.tensor(new Float32Array(new Uint32Array([0x7f800000, 0xff800000, 0x7fffffff, 0xffffffff]).buffer), [4, 1]);
    const y = await nativeLinear({ x: odd, weight: tf.ones([2, 1]), bias: tf.ones([2]) }).data();
    expect(y.every((value) => !Number.isFinite(value))).toBe(true);
    for (const name of ['none', 'relu', 'gelu'] as const) {
      const y = await nativeLinear({ x, weight: tf.ones([2, 3]), bias: tf.ones([2]) }, name).data();
      expect([...y.slice(0, 2)]).toEqual([Number.NaN, Number.NaN]);
      expect(y.slice(2).every((value) => Math.abs(value - 4) < 1e-3)).toBe(true);
    }
  });

  it('added to a shortcut is the sum, as a whole and where a tape listens', async () => {
    const layer = new Linear(5, 4);
    for (const parameter of [layer.weight, layer.bias as Parameter]) parameter.assign(random([...parameter.shape], 9));
    const [x, to, dy] = [random([2, 150, 5], 1), random([2, 150, 4], 2), random([2, 150, 4], 3)];
    const sum = tf.add(to, layer.forward(x));
    await expectClose(addLinear(to, layer, x), sum, 1e-6);
    const slopes = (f: (to: tf.Tensor, x: tf.Tensor) => tf.Tensor) => tf.grads(f)([to, x], dy);
    const [own, parts] = [slopes((a, b) => addLinear(a, layer, b)), slopes((a, b) => tf.add(a, layer.forward(b)))];
    for (const [i, slope] of own.entries()) await expectClose(slope, parts[i] as tf.Tensor, 1e-6);
  });

  it('refuses mismatched shapes, and still works afterwards', () => {
    expect(() => nativeLinear({ x: tf.ones([2, 3]), weight: tf.ones([4, 5]), bias: tf.ones([4]) }, 'none')).toThrow(
      /linear: expected/,
    );
    const fits = { x: tf.ones([2, 3]), weight: tf.ones([4, 3]), bias: tf.ones([4]) };
    expect(() => nativeLinear({ ...fits, added: tf.ones([4, 2]) })).toThrow(
      /linear: expected added \[rows, out\], here \[2,4\], got \[4,2\]/,
    );
    expect(nativeLinear({ x: tf.ones([0, 3]), weight: tf.ones([4, 3]), bias: tf.ones([4]) }, 'gelu').shape).toEqual([0, 4]);
  });
});

describeNative(missing, 'the native MLP', () => {
  const layerOf = (inputs: number, hidden: number, outputs: number) => ({
    expandWeight: random([hidden, inputs], 2, inputs ** -0.5),
    expandBias: random([hidden], 3),
    contractWeight: random([outputs, hidden], 4, hidden ** -0.5),
    contractBias: random([outputs], 5),
  });

  // Fewer hidden numbers than a block and more, a last block that fills no panel, rows that fill no tile.
  it.each([
    [1, 3, 5, 2],
    [37, 13, 21, 40],
    [97, 8, 256, 32],
    [700, 33, 600, 47],
    [1001, 200, 530, 70],
  ])(
    'of %i rows, %i inputs, %i hidden units and %i outputs equals two linear maps bit for bit',
    async (rows, inputs, hidden, outputs) => {
      const [x, layer, added] = [random([rows, inputs], 1), layerOf(inputs, hidden, outputs), random([rows, outputs], 6)];
      for (const activation of ['none', 'relu', 'gelu'] as const)
        for (const more of [undefined, added]) {
          const between = nativeLinear({ x, weight: layer.expandWeight, bias: layer.expandBias }, activation);
          const parts = nativeLinear({ x: between, weight: layer.contractWeight, bias: layer.contractBias, added: more });
          const whole = nativeMlp({ x, ...layer, added: more }, activation);
          expect(await whole.data()).toEqual(await parts.data());
        }
    },
  );

  it('is what a model runs, unless a tape records', async () => {
    const [expand, contract] = [new Linear(6, 24), new Linear(24, 6)];
    for (const { weight, bias } of [expand, contract]) {
      weight.assign(random([...weight.shape], 7));
      (bias as Parameter).assign(random([...(bias as Parameter).shape], 8));
    }
    const [x, dy] = [random([2, 50, 6], 1), random([2, 50, 6], 2)];
    const layer = { expand, activate: 'gelu', contract } as const;
    const parts = (input: tf.Tensor) => tf.add(input, contract.forward(portableGelu(expand.forward(input))));
    const run = () => throughHidden(x, { ...layer, addTo: x });
    const { kernelNames } = await tf.profile(run);
    expect(kernelNames).toContain('SonogroundMlp');
    await expectClose(run(), parts(x), 1e-5);
    const [own, other] = [(input: tf.Tensor) => throughHidden(input, { ...layer, addTo: input }), parts].map((f) =>
      tf.grad(f)(x, dy),
    );
    await expectClose(own as tf.Tensor, other as tf.Tensor, 1e-5);
    expect(await leakOf(() => run().dispose())).toBe(0);
  });

  it('refuses mismatched shapes, and still works afterwards', () => {
    const [x, layer] = [tf.ones([2, 3]), layerOf(3, 5, 4)];
    expect(() => nativeMlp({ x, ...layer, contractWeight: tf.ones([4, 6]) })).toThrow(/mlp: expected x/);
    expect(() => nativeMlp({ x, ...layer, added: tf.ones([4, 2]) })).toThrow(
      /mlp: expected added \[rows, out\], here \[2,4\], got \[4,2\]/,
    );
    expect(nativeMlp({ x: tf.ones([0, 3]), ...layer }, 'gelu').shape).toEqual([0, 4]);
  });

  // Nothing would be written to the results, which are whatever the memory held before.
  it('refuses a width of no hidden numbers', () => {
    expect(() => nativeMlp({ x: tf.ones([2, 3]), ...layerOf(3, 0, 4) })).toThrow(
      /mlp: expected one hidden number or more, got weights \[0,3\] and \[4,0\]/,
    );
  });
});

interface Case {
  readonly groups: number;
  readonly queries: number;
  readonly keys: number;
  readonly heads: number;
  readonly depth: number;
  readonly biasHeads?: number;
  readonly maskGroups?: number;
}

/** Each says what is odd about it. */
const CASES: readonly (readonly [string, Case])[] = [
  ['one of each', { groups: 1, queries: 1, keys: 1, heads: 1, depth: 1 }],
  ['a depth that fills no register', { groups: 2, queries: 5, keys: 9, heads: 3, depth: 7 }],
  ['windows with bias and mask', { groups: 6, queries: 49, keys: 49, heads: 3, depth: 32, biasHeads: 3, maskGroups: 3 }],
  ['one bias for all heads', { groups: 2, queries: 13, keys: 33, heads: 2, depth: 24, biasHeads: 1 }],
  ['several blocks of keys and queries', { groups: 1, queries: 131, keys: 700, heads: 2, depth: 96, maskGroups: 1 }],
  ['more queries than a part', { groups: 1, queries: 1601, keys: 9, heads: 2, depth: 16 }],
];

function attendByParts(
  { groups, queries, keys, heads, depth }: Case,
  [q, k, v, bias, mask]: (tf.Tensor | undefined)[],
): tf.Tensor {
  const split = (x: tf.Tensor, n: number) => tf.transpose(tf.reshape(x, [groups, n, heads, depth]), [0, 2, 1, 3]);
  let scores = tf.mul(tf.matMul(split(q as tf.Tensor, queries), split(k as tf.Tensor, keys), false, true), 0.3);
  if (bias !== undefined) scores = tf.add(scores, bias);
  if (mask !== undefined)
    scores = tf.add(scores, tf.reshape(tf.tile(mask, [groups / (mask.shape[0] as number), 1, 1]), [groups, 1, queries, keys]));
  const mixed = tf.matMul(tf.softmax(scores), split(v as tf.Tensor, keys));
  return tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [groups * queries, heads * depth]);
}

function inputsOf({ groups, queries, keys, heads, depth, biasHeads, maskGroups }: Case) {
  const width = heads * depth;
  const bias = biasHeads === undefined ? undefined : random([biasHeads, queries, keys], 4);
  const mask = maskGroups === undefined ? undefined : tf.mul(tf.cast(tf.greater(random([maskGroups, queries, keys], 5), 0.5), 'float32'), -100); // biome-ignore format: short
  return [random([groups * queries, width], 1, 3), random([groups * keys, width], 2, 3), random([groups * keys, width], 3), bias, mask] as const; // biome-ignore format: short
}

describeNative(missing, 'the native attention', () => {
  it.each(CASES)('equals its separate steps: %s', async (_name, size) => {
    const [query, key, value, bias, mask] = inputsOf(size);
    const { heads, depth, groups } = size;
    const args = { query, key, value, heads, depth, scale: 0.3, queryGroups: { count: groups }, keyGroups: { count: groups } };
    const mixed = groupAttention({ ...args, bias: bias as tf.Tensor3D | undefined, mask: mask as tf.Tensor3D | undefined });
    await expectClose(mixed, attendByParts(size, [query, key, value, bias, mask]), 1e-5);
  });

  it.each([
    [3, 21, 5],
    [1, 48, 32],
    [2, 8, 40],
  ])('takes values of another width than keys: %s heads of %s and %s', async (heads, depth, valueDepth) => {
    const [query, key] = [random([90, heads * depth], 1), random([70 * 2, heads * depth], 2)];
    const value = random([70 * 2, heads * valueDepth], 3);
    const groups = { count: 2 };
    const mixed = groupAttention({ query, key, value, heads, depth, valueDepth, queryGroups: groups, keyGroups: groups });
    const three = (x: tf.Tensor) => tf.reshape(x, [2, -1, x.shape[1] as number]);
    const split = (x: tf.Tensor) => splitHeads(three(x), heads);
    const parts = mergeHeads(scaledDotProductAttention({ query: split(query), key: split(key), value: split(value) }));
    await expectClose(mixed, tf.reshape(parts, [90, heads * valueDepth]), 1e-5);
    await expectClose(attend({ query: three(query), key: three(key), value: three(value), heads }), parts, 1e-5);
  });

  it('reads rows from where they lie, padding among them, and writes them back there', async () => {
    const [b, h, w, side, shift, heads, depth] = [2, 5, 7, 3, 1, 2, 5] as const;
    const rows = windowRows([b, h, w], side, shift);
    expect(rows.length).toBe(2 * 6 * 9);
    const all = random([b * h * w, 3 * heads * depth], 1);
    const padding = [random([heads * depth], 2), random([heads * depth], 3)] as const;
    const groups = { count: rows.length / side ** 2, rows };
    const offsets = [0, heads * depth, 2 * heads * depth] as const;
    const mixed = groupAttention({
      query: all,
      key: all,
      value: all,
      heads,
      depth,
      offsets,
      padding,
      queryGroups: groups,
      keyGroups: groups,
    });
    // The same with a row for padding at the end.
    const indices = tf.tensor1d([...rows].map((row) => (row < 0 ? b * h * w : row)), 'int32'); // biome-ignore format: short
    const part = (i: number) => tf.slice(all, [0, i * heads * depth], [-1, heads * depth]);
    const taken = [tf.zeros([heads * depth]), ...padding].map((row, i) => tf.gather(tf.concat([part(i), tf.reshape(row, [1, -1])]), indices)); // biome-ignore format: short
    const size = { groups: groups.count, queries: 9, keys: 9, heads, depth };
    const scaled = tf.mul(taken[0] as tf.Tensor, 1 / Math.sqrt(depth) / 0.3);
    const parts = attendByParts(size, [scaled, taken[1], taken[2]]);
    const back = tf.tensor1d(Array.from({ length: b * h * w }, (_, row) => rows.indexOf(row)), 'int32'); // biome-ignore format: short
    await expectClose(mixed, tf.gather(parts, back), 1e-5);
  });

  it('does not hide NaN', async () => {
    const [query, key, value] = [random([40, 8], 1), random([300, 8], 2), random([300, 8], 3)];
    const hole = tf.concat([tf.zeros([270, 8]), tf.fill([1, 8], Number.NaN), tf.zeros([29, 8])]);
    const args = { query, value, heads: 1, depth: 8, queryGroups: { count: 1 }, keyGroups: { count: 1 } };
    const mixed = await groupAttention({ ...args, key: tf.add(key, hole) }).data();
    expect(mixed.every(Number.isNaN)).toBe(true);
    expect((await groupAttention({ ...args, key }).data()).every(Number.isFinite)).toBe(true);
  });

  it('leaves nothing behind', async () => {
    const [, size] = CASES[2] as (typeof CASES)[number];
    const [query, key, value] = inputsOf(size);
    const groups = { count: size.groups };
    const run = () =>
      groupAttention({ query, key, value, heads: 3, depth: 32, queryGroups: groups, keyGroups: groups }).dispose();
    run();
    const held = tf.backend().numDataIds();
    expect(await leakOf(run)).toBe(0);
    expect(tf.backend().numDataIds()).toBe(held);
  });

  const none = tf.zeros([0]);
  const rows = (values: number[], groups = 1) => tf.tensor2d(values, [groups, values.length / groups], 'int32');
  const good = { query: tf.ones([4, 6]), key: tf.ones([4, 6]), value: tf.ones([4, 6]), queryRows: rows([0, 1, 2, 3], 2), keyRows: rows([0, 1, 2, 3, -1, -1], 2), padding: none, bias: none, mask: none }; // biome-ignore format: short
  const sizes = { heads: 2, depth: 3, scale: 1, offsets: [0, 0, 0] as const };

  it.each<[string, Partial<typeof good>, RegExp]>([
    ['a row out of range', { keyRows: rows([0, 1, 2, 4], 2) }, /key_rows below 4, got 4/],
    ['a query twice', { queryRows: rows([0, 1, 2, 2], 2) }, /each row once, got 2 twice/],
    ['a query outside all groups', { queryRows: rows([0, 1], 2) }, /name 4 rows, got 2/],
    ['different numbers of groups', { keyRows: rows([0, 1, 2, 3], 4) }, /one group or more, got \[2,2\] and \[4,1\]/],
    ['groups that do not divide the rows', { queryRows: tf.zeros([3, 0], 'int32'), keyRows: tf.zeros([3, 0], 'int32') }, /divides 4 rows, got 3/], // biome-ignore format: short
    ['too few columns', { key: tf.ones([4, 5]) }, /key \[rows, 6 columns or more\], got \[4,5\]/],
    ['values of other rows', { value: tf.ones([5, 6]) }, /value with the 4 rows of key/],
    ['a bias of other tokens', { bias: tf.ones([2, 2, 2]) }, /bias \[any, 2, 3\], got \[2,2,2\]/],
    ['a bias of other heads', { bias: tf.ones([3, 2, 3]) }, /1 or 2 heads/],
    ['padding of another width', { padding: tf.ones([2, 5]) }, /padding of shape \[2,6\]/],
  ])('refuses %s', (_name, change, message) => {
    expect(nativeAttention(good, sizes).shape).toEqual([4, 6]);
    expect(() => nativeAttention({ ...good, ...change }, sizes)).toThrow(message);
  });
});

/** Runs all operations on fixed inputs and prints their results. */
const RESULTS = `
  const util = require('node:util');
  util.isNullOrUndefined ??= (x) => x === null || x === undefined;
  util.isArray ??= Array.isArray;
  const tf = require('@tensorflow/tfjs-node-gpu');
  const dir = require('node:path').dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json')) + '/lib/napi-v8/';
  require(dir + require('node:fs').readdirSync(dir).find((name) => /^sonoground-ops-.*node$/.test(name)));
  let seed = 1;
  const random = (shape) => tf.tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
    return (seed / 2 ** 31) * 3;
  }), shape);
  const backend = tf.backend();
  const { TF_ATTR_FLOAT, TF_ATTR_INT, TF_ATTR_STRING } = backend.binding;
  const epsilon = [{ name: 'epsilon', type: TF_ATTR_FLOAT, value: 1e-5 }];
  const [x, dy, w, b] = [random([700, 43]), random([700, 43]), random([43]), random([43])];
  const int = (name, value) => ({ name, type: TF_ATTR_INT, value });
  const sizes = [int('heads', 2), int('depth', 21), int('query_offset', 0), int('key_offset', 1), int('value_offset', 1),
    { name: 'scale', type: TF_ATTR_FLOAT, value: 0.4 }];
  const [weight, added] = [random([70, 43]), random([700, 70])];
  const gelu = [{ name: 'activation', type: TF_ATTR_STRING, value: 'GeluExact' }];
  // Keys of map attention are sums of 43 products: its scale is a tenth, so that scores are as large as those of attention. The exponential
  // multiplies the last digit of a score of 200 by 200.
  const none = tf.zeros([0]), rows = tf.zeros([2, 0], 'int32');
  const results = [
    backend.executeSingleOutput('SonogroundLayerNorm', epsilon, [x, w, b]),
    ...backend.executeMultipleOutputs('SonogroundLayerNormGrad', epsilon, [x, w, dy], 3),
    backend.executeSingleOutput('SonogroundGelu', [], [x]),
    backend.executeSingleOutput('SonogroundGeluGrad', [], [x, dy]),
    backend.executeSingleOutput('SonogroundLinear', gelu, [x, weight, random([70]), added]),
    backend.executeSingleOutput('SonogroundMlp', gelu, [x, weight, random([70]), random([43, 70]), b, dy]),
    backend.executeSingleOutput('SonogroundAttention', sizes, [x, dy, dy, rows, rows, none, none, none]),
    ...(String(Buffer.from(backend.readSync(backend.executeSingleOutput('SonogroundProcessor', [], []).dataId)[0])) === 'amx' ? [] : [
      backend.executeSingleOutput('SonogroundMapAttention', [int('groups', 2), int('height', 4), int('width', 5), int('maps', 17),
        { ...sizes.at(-1), value: 0.04 }], [random([90, 24]), x, dy, random([24, 43]), random([24]), random([20, 12]), random([20, 12])]),
    ]),
  ];
  console.log(JSON.stringify(results.map((tensor) => [...backend.readSync(tensor.dataId)])));
`;

describeNative(missing, 'the native operations', () => {
  const run = (env: Record<string, string>): number[][] => {
    const all = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2', ...env };
    return JSON.parse(spawnSync(process.execPath, ['-e', RESULTS], { env: all, encoding: 'utf8', maxBuffer: 2 ** 26 }).stdout);
  };
  const expected = run({ TF_NUM_INTRAOP_THREADS: '1' });

  it('give the same bits with any number of threads', () => {
    expect(run({ TF_NUM_INTRAOP_THREADS: '2' })).toEqual(expected);
    expect(run({ TF_NUM_INTRAOP_THREADS: '7' })).toEqual(expected);
  });

  it("say which of the processor's means they use", async () => {
    const { nativeOps, nativeOpsOn } = backendFacts();
    expect(nativeOps).toContain('linear maps');
    expect(nativeOpsOn).toMatch(/AVX|vectors/);
  });

  it.each(['portable', 'avx2', 'avx512'])('give the same results on older processors: %s', async (vectors) => {
    for (const [i, values] of run({ SONOGROUND_VECTORS: vectors }).entries())
      await expectClose(tf.tensor1d(values), tf.tensor1d(expected[i] as number[]), 1e-5);
  });
});
