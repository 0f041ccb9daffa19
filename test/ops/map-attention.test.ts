import { expect, it } from '@jest/globals';
import { nativeMapAttention, tf } from '../../src/backend/index.js';
import { Linear } from '../../src/nn/index.js';
import { attend, axialRotation, hasMapAttention, mapAttention, rotate, savesByMaps } from '../../src/ops/index.js';
import { leakOf } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { describeNative, nativeOpsMissing } from '../support/native-ops.js';

const missing = (await nativeOpsMissing()) ?? (hasMapAttention() ? undefined : 'the processor has AMX');
const random = <R extends tf.Rank>(shape: number[], seed: number): tf.Tensor<R> => {
  const drawn = tf.randomNormal(shape, 0, 1, 'float32', seed);
  return drawn as tf.Tensor as tf.Tensor<R>;
};

/** Inputs of two objects, with `unplaced` tokens beside the maps. */
function inputsOf([height, width]: readonly [number, number], maps: number, unplaced: number) {
  const [b, n, depth, channels, wide] = [2, height * width, 24, 9, 11];
  const keys = maps * height * width + unplaced;
  return {
    query: random<tf.Rank.R3>([b, n, depth], 1),
    tokens: random<tf.Rank.R3>([b, keys, channels], 2),
    values: random<tf.Rank.R3>([b, keys, wide], 3),
    weight: random<tf.Rank.R2>([depth, channels], 4),
    bias: random<tf.Rank.R1>([depth], 5),
    rotation: axialRotation(height, width, depth, 100),
    size: [height, width] as const,
    maps,
  };
}

describeNative(missing, 'attention to maps', () => {
  it.each([
    [[5, 3], 4, 7],
    [[3, 7], 1, 0],
    [[2, 9], 7, 40],
    [[6, 6], 13, 1],
  ] as const)(
    'equals attention to keys that were projected and turned: %j, %s maps, %s unplaced',
    async (size, maps, unplaced) => {
      const inputs = inputsOf(size, maps, unplaced);
      const { query, tokens, values, weight, bias, rotation } = inputs;
      const project = new Linear(9, 24);
      project.weight.assign(weight);
      project.bias?.assign(bias);
      const keys = project.forward(tokens) as tf.Tensor3D;
      const placed = keys.shape[1] - unplaced;
      const turned = rotate(keys.slice([0, 0, 0], [-1, placed, -1]), rotation, 1);
      const key = tf.concat([turned, keys.slice([0, placed, 0], [-1, unplaced, -1])], 1);
      await expectClose(mapAttention(inputs), attend({ query, key, value: values, heads: 1 }), 1e-5);
    },
  );

  it('does not hide NaN', async () => {
    const inputs = inputsOf([4, 5], 3, 2);
    const tokens = tf.add(inputs.tokens, tf.pad(tf.fill([1, 1, 1], Number.NaN), [[1, 0], [30, 31], [4, 4]])) as tf.Tensor3D; // biome-ignore format: short
    const [first, second] = tf.unstack(mapAttention({ ...inputs, tokens })) as [tf.Tensor, tf.Tensor];
    expect((await first.data()).every(Number.isFinite)).toBe(true);
    expect((await second.data()).every(Number.isNaN)).toBe(true);
  });

  it('leaves nothing behind', async () => {
    const inputs = inputsOf([4, 5], 3, 2);
    expect(await leakOf(() => mapAttention(inputs).dispose())).toBe(0);
  });

  const good = { query: tf.ones([6, 8]), tokens: tf.ones([14, 3]), values: tf.ones([14, 5]), weight: tf.ones([8, 3]), bias: tf.ones([8]), cos: tf.ones([6, 4]), sin: tf.ones([6, 4]) }; // biome-ignore format: short
  const sizes = { groups: 2, height: 2, width: 3, maps: 1, scale: 1 };

  it.each<[string, Partial<typeof good>, Partial<typeof sizes>, RegExp]>([
    ['queries of another number of groups', { query: tf.ones([7, 8]) }, {}, /query of 2 groups, got \[7,8\]/],
    ['channels that are no pairs of both axes', { query: tf.ones([6, 6]) }, {}, /a multiple of 4, got \[6,6\]/],
    ['too few tokens', {}, { maps: 2 }, /tokens of 2 groups of 12 or more, got \[14,3\]/],
    ['values of other tokens', { values: tf.ones([12, 5]) }, {}, /values for the tokens, got \[12,5\]/],
    ['a weight of another width', { weight: tf.ones([8, 4]) }, {}, /weight of shape \[8,3\], got \[8,4\]/],
    ['a bias of another length', { bias: tf.ones([7]) }, {}, /bias of the length 8, got \[7\]/],
    ['angles of other cells', { sin: tf.ones([5, 4]) }, {}, /cos and sin of shape \[6,4\], got \[5,4\]/],
  ])('refuses %s', (_name, change, other, message) => {
    expect(nativeMapAttention(good, sizes).shape).toEqual([6, 5]);
    expect(() => nativeMapAttention({ ...good, ...change }, { ...sizes, ...other })).toThrow(message);
  });
});

it('counts what it takes to make a vector for each column and row', () => {
  expect(savesByMaps([64, 64], 7, 64, 256)).toBe(true);
  expect(savesByMaps([64, 64], 1, 64, 256)).toBe(false);
  expect(savesByMaps([8, 8], 7, 64, 64)).toBe(false);
});
