import { beforeAll, expect, it } from '@jest/globals';
import { initBackend, tf } from '../../src/backend/index.js';
import { deformableAttentionBy } from '../../src/ops/deformable-attention.js';
import { gatherSampler } from '../../src/ops/deformable-gather.js';
import { nativeSampler } from '../../src/ops/deformable-native.js';
import type { Sampler, SamplingGeometry } from '../../src/ops/deformable-sampler.js';
import { Rng } from '../../src/util/index.js';
import { leakOf } from '../support/backend.js';
import { expectClose, relativeError } from '../support/compare.js';
import { gradientError } from '../support/finite-difference.js';
import { GoldenCase } from '../support/golden.js';
import { normalTensor } from '../support/random.js';
import { describeWebgpu, webgpuMissing } from '../support/webgpu.js';

type Shapes = readonly (readonly [number, number])[];
type Triple = [tf.Tensor, tf.Tensor, tf.Tensor];

const GOLDEN_SHAPES = [
  [5, 7],
  [3, 4],
  [1, 2],
] as const;

function attend(way: (geometry: SamplingGeometry) => Sampler, [v, locations, weights]: Triple, spatialShapes: Shapes) {
  const value = v as tf.Tensor4D;
  const [batch, cells, heads, depth] = value.shape;
  const [, queries = 0, , , points = 0] = locations.shape;
  const geometry = { batch, cells, queries, heads, depth, points, spatialShapes };
  return deformableAttentionBy(way, { value, spatialShapes, samplingLocations: locations, attentionWeights: weights }, geometry);
}

const own = (inputs: Triple, shapes: Shapes) => attend(nativeSampler, inputs, shapes);

const missing = await webgpuMissing();

describeWebgpu(missing, 'deformable attention on WebGPU', () => {
  beforeAll(async () => {
    expect(await initBackend('webgpu')).toBe('webgpu');
  });

  it('agrees with the reference inside, at the border and outside, in values and gradients', async () => {
    const golden = await GoldenCase.read('grounding-dino-sampling');
    const inputs = ['value', 'locations', 'weights'].map((name) => golden.tensor(`in.${name}`)) as Triple;
    await expectClose(own(inputs, GOLDEN_SHAPES), golden.tensor('out'), 1e-5);
    const gradients = tf.grads((...xs) => own(xs as unknown as Triple, GOLDEN_SHAPES))(inputs, golden.tensor('in.grad'));
    for (const [i, name] of ['value', 'locations', 'weights'].entries())
      await expectClose(gradients[i] as tf.Tensor, golden.tensor(`grad.${name}`), 1e-5);
  });

  it.each([
    ['vectors of four', 12],
    ['scalars', 7],
  ])('equals the portable implementation on the plain backend, by %s', async (_name, depth) => {
    const shapes: Shapes = [
      [9, 13],
      [3, 4],
      [1, 1],
    ];
    const rng = Rng.seeded(5);
    const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e30, -7, 0, 1];
    const numbers = (size: number) => Float32Array.from({ length: size }, () => rng.normal());
    const locations = Float32Array.from({ length: 2 * 33 * 2 * 3 * 4 * 2 }, (_, i) => {
      const side = (shapes[Math.floor(i / 8) % 3] as readonly [number, number])[(i + 1) % 2] as number;
      const kind = rng.uniform();
      if (kind < 0.1) return rng.pick(special);
      if (kind < 0.3) return (Math.floor(rng.uniform() * (side + 2)) - 0.5) / side; // whole cells, where the slope jumps
      return rng.uniform() * 1.6 - 0.3;
    });
    const plain = [
      [numbers(2 * 130 * 2 * depth), [2, 130, 2, depth]],
      [locations, [2, 33, 2, 3, 4, 2]],
      [numbers(2 * 33 * 2 * 3 * 4), [2, 33, 2, 3, 4]],
    ] as const;
    const dyValues = numbers(2 * 33 * 2 * depth);
    const results = async (way: (geometry: SamplingGeometry) => Sampler) => {
      const inputs = plain.map(([values, shape]) => tf.tensor(values, [...shape])) as Triple;
      const dy = tf.tensor(dyValues, [2, 33, 2 * depth]);
      const gradients = tf.grads((...xs) => attend(way, xs as unknown as Triple, shapes))(inputs, dy);
      return Promise.all([attend(way, inputs, shapes), ...gradients].map((tensor) => tensor.data()));
    };
    const actual = await results(nativeSampler);
    await initBackend('cpu');
    const expected = await results(gatherSampler);
    await initBackend('webgpu');
    for (const [i, values] of expected.entries()) expect(relativeError(actual[i] as Float32Array, values)).toBeLessThan(1e-5);
  });

  it('has the gradient of its finite differences', async () => {
    const shapes: Shapes = [
      [2, 3],
      [2, 1],
    ];
    const rng = Rng.seeded(4);
    const random = (shape: number[]) => normalTensor(shape, rng);
    const cells = [-1.7, -0.3, 0.4, 0.6, 1.3, 1.7]; // away from whole numbers
    const locations = Float32Array.from({ length: 2 * 1 * 1 * 2 * 1 * 2 }, (_, i) => {
      const [h, w] = shapes[Math.floor(i / 2) % 2] as readonly [number, number];
      return (rng.pick(cells) + 0.5) / (i % 2 === 0 ? w : h);
    });
    const inputs = [random([2, 8, 1, 2]), tf.tensor(locations, [2, 1, 1, 2, 1, 2]), random([2, 1, 1, 2, 1])];
    expect(await gradientError((...xs) => own(xs as Triple, shapes), inputs)).toBeLessThan(1e-3);
  });

  it('leaves nothing behind, on the device neither', async () => {
    const golden = await GoldenCase.read('grounding-dino-sampling');
    const inputs = ['value', 'locations', 'weights'].map((name) => golden.tensor(`in.${name}`)) as Triple;
    const dy = golden.tensor('in.grad');
    const step = async () => {
      const gradients = tf.grads((...xs) => own(xs as unknown as Triple, GOLDEN_SHAPES))(inputs, dy);
      await Promise.all(gradients.map((gradient) => gradient.data())); // the device has finished
      tf.dispose(gradients);
    };
    await step();
    const held = tf.backend().numDataIds();
    expect(await leakOf(step)).toBe(0);
    expect(tf.backend().numDataIds()).toBe(held);
  });

  it('refuses shapes that do not fit each other', () => {
    const inputs: Triple = [tf.ones([1, 6, 1, 2]), tf.ones([1, 2, 1, 1, 1, 2]), tf.ones([1, 2, 1, 1, 1])];
    const geometry = { batch: 1, cells: 6, queries: 2, heads: 1, depth: 2, points: 1, spatialShapes: [[2, 3]] as const };
    const sampler = nativeSampler(geometry);
    expect(() => sampler.sample({ value: inputs[0], locations: inputs[1], weights: tf.ones([1, 2, 1, 1, 2]) })).toThrow(
      /expected weights of shape \[1,2,1,1,1\], got \[1,2,1,1,2\]/,
    );
  });
});
