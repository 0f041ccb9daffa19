import { describe, expect, it } from '@jest/globals';
import { CheckpointError } from '../../src/util/index.js';
import type { NamedArray } from '../../src/weights/formats/index.js';
import { type KeyNaming, underOurKeys, underTheirKeys, type WeightSource } from '../../src/weights/index.js';
import { expectError } from '../support/expect-error.js';

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
    fileOf: () => 'weights.pth',
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
    expectError(refuse({ x: array([1]), 'module.x': array([1]) }), {
      code: 'E_WEIGHTS_MISMATCH',
      where: 'weights.pth',
      what: 'two keys differ in the prefix module. only',
    });
    const both = { 'blocks.0.norm': array([1]), 'layers.0.layer_norm': array([1]) };
    expectError(refuse(both), {
      code: 'E_WEIGHTS_MISMATCH',
      where: 'weights.pth',
      what: 'layers.0.layer_norm and blocks.0.norm are both layers.0.layer_norm',
    });
    expectError(refuse({ 'blocks.0.norm': array([1]), 'blocks.0.qkv': array([4]) }), {
      code: 'E_WEIGHTS_MISMATCH',
      where: 'weights.pth',
      what: '4 rows, which are not 3 equal parts',
    });
    expectError(refuse(both), { code: 'E_WEIGHTS_MISMATCH', class: CheckpointError, where: 'weights.pth' });
    const parts = new Map([['layers.0.query', array([1])]]);
    expectError(() => underTheirKeys(parts, naming), {
      code: 'E_WEIGHTS_MISMATCH',
      where: 'layers.0.key',
      what: 'it is missing, and theirs keeps it in one with others',
    });
  });
});

describe('keys that are several in one naming and one in the other', () => {
  const naming: KeyNaming = {
    name: 'theirs',
    sign: 'places',
    renames: [],
    fused: [],
    stacked: [{ theirs: ['kinds.0', 'kinds.1'], ours: 'kinds' }],
    copied: [{ theirs: 'places', ours: ['image.places', 'prompts.places'] }],
  };
  const theirs = { 'kinds.0': array([1, 2]), 'kinds.1': array([1, 2], 5), places: array([3]), other: array([1]) };
  const ours = {
    kinds: { ...array([2, 2]), data: Float32Array.of(0, 1, 5, 6) },
    'image.places': array([3]),
    'prompts.places': array([3]),
    other: array([1]),
  };

  it.each(['', 'module.'])('map to ours and back unchanged, prefix "%s"', async (prefix) => {
    const wrapped = Object.fromEntries(Object.entries(theirs).map(([key, value]) => [prefix + key, value]));
    const source = underOurKeys(sourceOf(wrapped), [naming]);
    const arrays = await readAll(source, source);
    expect(Object.fromEntries(arrays)).toEqual(ours);
    expect(source.tensors.get('kinds')?.shape).toEqual([2, 2]);
    expect(Object.fromEntries(underTheirKeys(arrays, naming))).toEqual(theirs);
  });

  it('are refused when one is missing or another shape, or copies differ', () => {
    const refuse = (arrays: Record<string, NamedArray>) => () => underOurKeys(sourceOf(arrays), [naming]);
    const { 'kinds.1': _, ...fewer } = theirs;
    expectError(refuse(fewer), {
      code: 'E_WEIGHTS_MISMATCH',
      where: 'weights.pth',
      what: 'kinds.1 is missing, and stands in one tensor with kinds.0',
    });
    expectError(refuse({ ...theirs, 'kinds.1': array([1, 3]) }), {
      code: 'E_WEIGHTS_MISMATCH',
      where: 'weights.pth',
      what: 'kinds.1 and kinds.0 have shapes that do not fit each other',
    });
    expectError(refuse({ ...theirs, kinds: array([2, 2]) }), {
      code: 'E_WEIGHTS_MISMATCH',
      where: 'weights.pth',
      what: 'kinds and kinds.0 are both kinds',
    });
    const differ = new Map(Object.entries({ ...ours, 'prompts.places': array([3], 1) }));
    expectError(() => underTheirKeys(differ, naming), {
      code: 'E_WEIGHTS_MISMATCH',
      where: 'prompts.places',
      what: 'it differs from image.places, and theirs has one for both',
    });
  });
});
