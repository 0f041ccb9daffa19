import { describe, expect, it } from '@jest/globals';
import { type KeyNaming, type NamedArray, underOurKeys, underTheirKeys, type WeightSource } from '../../src/io/index.js';
import { CheckpointError } from '../../src/util/index.js';

const naming: KeyNaming = {
  name: 'theirs',
  sign: 'blocks.0.norm',
  renames: [
    ['blocks.*.norm', 'layers.*.layer_norm'],
    ['head.**', 'model.head.**'],
  ],
  fused: [{ theirs: 'blocks.*.qkv', ours: ['layers.*.query', 'layers.*.key', 'layers.*.value'] }],
};

function array(shape: readonly number[], first = 0): NamedArray {
  const size = shape.reduce((a, b) => a * b, 1);
  return { dtype: 'float32', shape, data: Float32Array.from({ length: size }, (_, i) => first + i) };
}

function sourceOf(arrays: Record<string, NamedArray>): WeightSource {
  return {
    path: 'weights.pth',
    tensors: new Map(Object.entries(arrays)),
    read: async (key) => arrays[key] as NamedArray,
    close: async () => {},
  };
}

const theirs = {
  'blocks.0.norm': array([2], 10),
  'blocks.0.qkv': array([6, 2]),
  'blocks.11.qkv': array([3]),
  'head.a.b': array([1]),
  other: array([1]),
};

async function readAll({ tensors, read }: WeightSource, bound: WeightSource): Promise<Map<string, NamedArray>> {
  return new Map(await Promise.all([...tensors.keys()].map(async (key) => [key, await read.call(bound, key)] as const)));
}

describe('another naming', () => {
  it('becomes ours, fused tensors in parts, unknown keys as they are', async () => {
    const source = underOurKeys(sourceOf(theirs), [naming]);
    const arrays = await readAll(source, source);
    expect(Object.fromEntries(arrays)).toEqual({
      'layers.0.layer_norm': array([2], 10),
      'layers.0.query': array([2, 2]),
      'layers.0.key': array([2, 2], 4),
      'layers.0.value': array([2, 2], 8),
      'layers.11.query': array([1]),
      'layers.11.key': array([1], 1),
      'layers.11.value': array([1], 2),
      'model.head.a.b': array([1]),
      other: array([1]),
    });
    expect([...source.tensors].map(([key, { shape }]) => [key, shape])).toEqual(
      [...arrays].map(([key, { shape }]) => [key, shape]),
    );
  });

  it('comes back the same', async () => {
    const source = underOurKeys(sourceOf(theirs), [naming]);
    expect(Object.fromEntries(underTheirKeys(await readAll(source, source), naming))).toEqual(theirs);
  });

  it('loses the prefix of models that were trained on several devices', async () => {
    const wrapped = Object.fromEntries(Object.entries(theirs).map(([key, value]) => [`module.${key}`, value]));
    expect([...underOurKeys(sourceOf(wrapped), [naming]).tensors.keys()]).toEqual([
      ...underOurKeys(sourceOf(theirs), [naming]).tensors.keys(),
    ]);
    expect([...underOurKeys(sourceOf({ 'module.x': array([1]) }), []).tensors.keys()]).toEqual(['x']);
  });

  it('leaves our own alone', () => {
    const own = sourceOf({ 'layers.0.query': array([1]), 'head.a': array([1]) });
    expect(underOurKeys(own, [naming])).toBe(own);
  });

  it('refuses what cannot be told apart or divided', () => {
    const refuse = (arrays: Record<string, NamedArray>) => () => underOurKeys(sourceOf(arrays), [naming]);
    expect(refuse({ x: array([1]), 'module.x': array([1]) })).toThrow('two keys differ in the prefix module. only');
    const both = { 'blocks.0.norm': array([1]), 'layers.0.layer_norm': array([1]) };
    expect(refuse(both)).toThrow('layers.0.layer_norm and blocks.0.norm are both layers.0.layer_norm');
    expect(refuse({ 'blocks.0.norm': array([1]), 'blocks.0.qkv': array([4]) })).toThrow('4 rows, which are not 3 equal parts');
    expect(refuse(both)).toThrow(CheckpointError);
    const parts = new Map([['layers.0.query', array([1])]]);
    expect(() => underTheirKeys(parts, naming)).toThrow('layers.0.key: it is missing, and theirs keeps it in one with others');
  });
});
