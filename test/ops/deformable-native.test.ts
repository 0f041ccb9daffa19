import { spawnSync } from 'node:child_process';
import { expect, it } from '@jest/globals';
import { nativeDeformableAttention, nativeDeformableAttentionGradients, tf } from '../../src/backend/index.js';
import { deformableAttentionBy, multiScaleDeformableAttention } from '../../src/ops/deformable-attention.js';
import { gatherSampler } from '../../src/ops/deformable-gather.js';
import { nativeSampler } from '../../src/ops/deformable-native.js';
import type { Sampler, SamplingGeometry } from '../../src/ops/deformable-sampler.js';
import { Rng } from '../../src/util/index.js';
import { leakOf } from '../support/backend.js';
import { expectClose } from '../support/compare.js';
import { describeNative, nativeOpsMissing } from '../support/native-ops.js';
import { normalTensor } from '../support/random.js';

type Shapes = readonly (readonly [number, number])[];
type Triple = [tf.Tensor, tf.Tensor, tf.Tensor];

interface Case {
  readonly shapes: Shapes;
  readonly batch: number;
  readonly queries: number;
  readonly heads: number;
  readonly depth: number;
  readonly points: number;
}

const LEVELS: Shapes = [
  [9, 13],
  [5, 7],
  [3, 4],
  [1, 2],
  [1, 1],
];

/** Each says what is odd about it. */
const CASES: readonly (readonly [string, Case])[] = [
  ['one level, one channel a head', { shapes: LEVELS.slice(0, 1), batch: 2, queries: 11, heads: 3, depth: 1, points: 2 }],
  ['one query', { shapes: LEVELS.slice(0, 2), batch: 2, queries: 1, heads: 2, depth: 8, points: 4 }],
  ['a depth that fills no register', { shapes: LEVELS.slice(0, 3), batch: 2, queries: 19, heads: 2, depth: 7, points: 3 }],
  [
    'a depth of wide, narrow and single parts',
    { shapes: LEVELS.slice(0, 4), batch: 1, queries: 6, heads: 1, depth: 43, points: 1 },
  ],
  ['five levels, down to one cell', { shapes: LEVELS, batch: 2, queries: 70, heads: 4, depth: 12, points: 4 }],
  [
    'the usual depth, more queries than a block has',
    { shapes: LEVELS.slice(0, 4), batch: 2, queries: 150, heads: 8, depth: 32, points: 4 },
  ],
];

/** Locations inside, outside, far outside, nowhere, on cell centres and on the borders of the maps. */
function locationsOf({ shapes, batch, queries, heads, points }: Case, rng: Rng): tf.Tensor {
  const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e30, -7, 0, 1];
  const shape = [batch, queries, heads, shapes.length, points, 2];
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => {
    const level = shapes[Math.floor(i / (2 * points)) % shapes.length] as readonly [number, number];
    const side = level[(i + 1) % 2] as number;
    const kind = rng.uniform();
    if (kind < 0.1) return rng.pick(special);
    if (kind < 0.3) return (Math.floor(rng.uniform() * (side + 2)) - 0.5) / side; // whole cells, from -1 to the side
    return rng.uniform() * 1.6 - 0.3;
  });
  return tf.tensor(values, shape);
}

function inputsOf(size: Case, seed = 5): Triple {
  const rng = Rng.seeded(seed);
  const { shapes, batch, queries, heads, depth, points } = size;
  const cells = shapes.reduce((sum, [h, w]) => sum + h * w, 0);
  return [
    normalTensor([batch, cells, heads, depth], rng),
    locationsOf(size, rng),
    normalTensor([batch, queries, heads, shapes.length, points], rng),
  ];
}

function attend(way: (geometry: SamplingGeometry) => Sampler, { shapes, ...size }: Case, [value, locations, weights]: Triple) {
  const geometry = { ...size, cells: value.shape[1] as number, spatialShapes: shapes };
  const args = { value: value as tf.Tensor4D, spatialShapes: shapes, samplingLocations: locations, attentionWeights: weights };
  return deformableAttentionBy(way, args, geometry);
}

const missing = await nativeOpsMissing();

describeNative(missing, 'the native deformable attention', () => {
  it.each(CASES)('equals the portable implementation: %s', async (_name, size) => {
    const inputs = inputsOf(size);
    const dy = normalTensor([size.batch, size.queries, size.heads * size.depth], Rng.seeded(6));
    await expectClose(attend(nativeSampler, size, inputs), attend(gatherSampler, size, inputs), 1e-5);
    const [native, portable] = [nativeSampler, gatherSampler].map((way) =>
      tf.grads((...xs) => attend(way, size, xs as unknown as Triple))(inputs, dy),
    ) as [tf.Tensor[], tf.Tensor[]];
    for (const [i, gradient] of native.entries()) await expectClose(gradient, portable[i] as tf.Tensor, 1e-5);
  });

  it('is the one that is used', async () => {
    const [, size] = CASES[4] as (typeof CASES)[number];
    const [value, samplingLocations, attentionWeights] = inputsOf(size);
    const args = { value: value as tf.Tensor4D, spatialShapes: size.shapes, samplingLocations, attentionWeights };
    const { kernelNames } = await tf.profile(() => multiScaleDeformableAttention(args));
    expect(kernelNames).toContain('SonogroundDeformableAttention');
  });

  it('leaves nothing behind, also in TensorFlow', async () => {
    const [, size] = CASES[4] as (typeof CASES)[number];
    const inputs = inputsOf(size);
    const dy = normalTensor([size.batch, size.queries, size.heads * size.depth], Rng.seeded(6));
    const step = () => tf.dispose(tf.grads((...xs) => attend(nativeSampler, size, xs as unknown as Triple))(inputs, dy));
    step();
    const held = tf.backend().numDataIds();
    expect(await leakOf(step)).toBe(0);
    expect(tf.backend().numDataIds()).toBe(held);
  });
});

/** Runs both operations on fixed inputs, some of them so small that only a thread that flushes makes zeros of them; prints a hash. */
const HASH = `
  const util = require('node:util');
  util.isNullOrUndefined ??= (x) => x === null || x === undefined;
  util.isArray ??= Array.isArray;
  const tf = require('@tensorflow/tfjs-node-gpu');
  const dir = require('node:path').dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json')) + '/lib/napi-v8/';
  require(dir + require('node:fs').readdirSync(dir).find((name) => /^sonoground-ops-.*node$/.test(name)));
  let seed = 1;
  const random = (shape, scale) => tf.tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
    return (seed / 2 ** 31) * (i % 5 === 0 ? scale * 1e-38 : scale);
  }), shape);
  const inputs = [random([1, 90, 3, 20], 2), tf.tensor2d([[6, 9], [4, 9]], [2, 2], 'int32'),
    tf.abs(random([1, 300, 3, 2, 4, 2], 1)), random([1, 300, 3, 2, 4], 1)];
  const sum = tf.backend().executeSingleOutput('SonogroundDeformableAttention', [], inputs);
  const grads = tf.backend().executeMultipleOutputs('SonogroundDeformableAttentionGrad', [], [...inputs, random([1, 300, 60], 1)], 3);
  const hash = require('node:crypto').createHash('sha256');
  for (const tensor of [sum, ...grads]) hash.update(new Uint8Array(tensor.dataSync().buffer));
  console.log(hash.digest('hex'));
`;

describeNative(missing, 'the native deformable attention', () => {
  it('gives the same bits with any number of threads', () => {
    const hashes = ['1', '2', '2', '7'].map((threads) => {
      const env = { ...process.env, TF_NUM_INTRAOP_THREADS: threads, TF_CPP_MIN_LOG_LEVEL: '2' };
      return spawnSync(process.execPath, ['-e', HASH], { env, encoding: 'utf8' }).stdout.trim();
    });
    expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(hashes).size).toBe(1);
  });
});

describeNative(missing, 'the native deformable attention refuses', () => {
  const good = {
    value: [2, 10, 2, 3],
    shapes: [
      [2, 3],
      [2, 2],
    ],
    locations: [2, 4, 2, 2, 1, 2],
    weights: [2, 4, 2, 2, 1],
    gradient: [2, 4, 6],
  };

  it.each<[string, Partial<typeof good>, RegExp]>([
    ['a value without heads', { value: [2, 10, 6] }, /value of rank 4, got \[2,10,6\]/],
    ['heads without channels', { value: [2, 10, 2, 0], gradient: [2, 4, 0] }, /at least one number a head, got \[2,10,2,0\]/],
    ['levels smaller than the value', { shapes: [[2, 3], [1, 2]] }, /levels of 10 cells, as value has, got 8/], // biome-ignore format: short
    ['levels larger than the value', { shapes: [[2, 3], [9, 9]] }, /levels of 10 cells, as value has, got 87 or more/], // biome-ignore format: short
    ['a level of negative size', { shapes: [[-2, -3], [2, 2]] }, /sides from 1 to 16777216, got -2 x -3/], // biome-ignore format: short
    ['a level whose size overflows', { shapes: [[2147483647, 2147483647], [2, 2]] }, /sides from 1 to 16777216/], // biome-ignore format: short
    ['levels with three sides', { shapes: [[2, 3, 1], [2, 2, 1]] }, /spatial_shapes of shape \[2,2\], got \[2,3\]/], // biome-ignore format: short
    ['no levels', { shapes: [], locations: [2, 4, 2, 0, 1, 2], weights: [2, 4, 2, 0, 1] }, /spatial_shapes of shape \[1,2\]/],
    ['locations of another batch', { locations: [1, 4, 2, 2, 1, 2] }, /locations of shape \[2,4,2,2,1,2\], got \[1,4,2,2,1,2\]/],
    ['locations of other heads', { locations: [2, 4, 3, 2, 1, 2] }, /locations of shape/],
    ['locations with three coordinates', { locations: [2, 4, 2, 2, 1, 3] }, /locations of shape/],
    ['locations without points', { locations: [2, 4, 2, 2, 2] }, /locations of rank 6/],
    ['weights of other points', { weights: [2, 4, 2, 2, 2] }, /weights of shape \[2,4,2,2,1\], got \[2,4,2,2,2\]/],
  ])('%s', (_name, change, message) => {
    const { value, shapes, locations, weights, gradient } = { ...good, ...change };
    const inputs = {
      value: tf.ones(value),
      spatialShapes: tf.tensor2d(shapes.flat(), [shapes.length, shapes[0]?.length ?? 2], 'int32'),
      locations: tf.ones(locations),
      weights: tf.ones(weights),
    };
    expect(() => nativeDeformableAttention(inputs)).toThrow(message);
    expect(() => nativeDeformableAttentionGradients(inputs, tf.ones(gradient))).toThrow(message);
  });

  it('a gradient of another shape, and numbers of another type', () => {
    const inputs = {
      value: tf.ones(good.value),
      spatialShapes: tf.tensor2d(good.shapes, [2, 2], 'int32'),
      locations: tf.ones(good.locations),
      weights: tf.ones(good.weights),
    };
    expect(() => nativeDeformableAttentionGradients(inputs, tf.ones([2, 4, 5]))).toThrow(/sum_gradient of shape \[2,4,6\]/);
    expect(() => nativeDeformableAttention({ ...inputs, weights: tf.ones(good.weights, 'int32') })).toThrow(/float/);
    expect(nativeDeformableAttention(inputs).shape).toEqual([2, 4, 6]); // and goes on
  });

  it('nothing that is empty', () => {
    const spatialShapes = tf.tensor2d(good.shapes, [2, 2], 'int32');
    const weights = tf.ones([2, 0, 2, 2, 1]);
    const none = { value: tf.ones(good.value), spatialShapes, locations: tf.ones([2, 0, 2, 2, 1, 2]), weights };
    expect(nativeDeformableAttention(none).shape).toEqual([2, 0, 6]);
    const [value] = nativeDeformableAttentionGradients(none, tf.ones([2, 0, 6]));
    expect(value.dataSync().every((x) => x === 0)).toBe(true);
  });
});
