import { describe, expect, it } from '@jest/globals';
import { tf } from '../../src/backend/index.js';
import { deformableAttentionBy } from '../../src/ops/deformable-attention.js';
import { denseSampler } from '../../src/ops/deformable-dense.js';
import { gatherSampler } from '../../src/ops/deformable-gather.js';
import { nativeSampler } from '../../src/ops/deformable-native.js';
import type { Sampler, SamplingGeometry } from '../../src/ops/deformable-sampler.js';
import { Rng } from '../../src/util/index.js';
import { leakOf, useBackend } from '../support/backend.js';
import { expectClose, relativeError } from '../support/compare.js';
import { gradientError } from '../support/finite-difference.js';
import { GoldenCase } from '../support/golden.js';
import { nativeOpsMissing } from '../support/native-ops.js';
import { normalTensor } from '../support/random.js';

useBackend();

const missing = await nativeOpsMissing();
const native = [['by the native operation', nativeSampler]] as const;

type Shapes = readonly (readonly [number, number])[];

const spatialShapes = [
  [5, 7],
  [3, 4],
  [1, 2],
] as const;

type Way = (geometry: SamplingGeometry) => Sampler;

function attend(
  way: Way,
  v: tf.Tensor,
  samplingLocations: tf.Tensor,
  attentionWeights: tf.Tensor,
  shapes: Shapes = spatialShapes,
) {
  const value = v as tf.Tensor4D;
  const [batch, cells, heads, depth] = value.shape;
  const [, queries = 0, , , points = 0] = samplingLocations.shape;
  const geometry = { batch, cells, queries, heads, depth, points, spatialShapes: shapes };
  return deformableAttentionBy(way, { value, spatialShapes: shapes, samplingLocations, attentionWeights }, geometry);
}

describe.each([['gathering', gatherSampler], ['by matrix products', denseSampler], ...(missing === undefined ? native : [])])(
  'multiScaleDeformableAttention, %s',
  (_name, way: Way) => {
    it('agrees with the reference inside, at the border and outside', async () => {
      const golden = await GoldenCase.read('grounding-dino-sampling');
      const inputs = ['value', 'locations', 'weights'].map((name) => golden.tensor(`in.${name}`));
      const [value, locations, weights] = inputs as [tf.Tensor, tf.Tensor, tf.Tensor];
      await expectClose(attend(way, value, locations, weights), golden.tensor('out'), 1e-5);
      const dy = golden.tensor('in.grad');
      const gradients = tf.grads((v, l, w) => attend(way, v, l, w))(inputs, dy);
      for (const [i, name] of ['value', 'locations', 'weights'].entries())
        await expectClose(gradients[i] as tf.Tensor, golden.tensor(`grad.${name}`), 1e-5);
    });

    it('has the gradient of its finite differences', async () => {
      const shapes = [
        [2, 3],
        [3, 2],
      ] as const;
      const rng = Rng.seeded(4);
      const random = (shape: number[]) => normalTensor(shape, rng);
      const cells = [-1.7, -0.3, 0.4, 0.6, 1.3, 1.7, 2.6]; // cell coordinates away from whole numbers, where the slope jumps
      const locations = Float32Array.from({ length: 2 * 3 * 2 * 2 * 1 * 2 }, (_, i) => {
        const [h, w] = shapes[Math.floor(i / 2) % 2] as readonly [number, number];
        return (rng.pick(cells) + 0.5) / (i % 2 === 0 ? w : h);
      });
      const inputs = [random([2, 12, 2, 3]), tf.tensor(locations, [2, 3, 2, 2, 1, 2]), random([2, 3, 2, 2, 1])];
      expect(
        await gradientError((v, l, w) => attend(way, v as tf.Tensor, l as tf.Tensor, w as tf.Tensor, shapes), inputs),
      ).toBeLessThan(1e-3);
    });

    it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e30])('treats %p as outside', async (place) => {
      const golden = await GoldenCase.read('grounding-dino-sampling');
      const inputs = ['value', 'locations', 'weights'].map((name) => golden.tensor(`in.${name}`));
      const dy = golden.tensor('in.grad');
      const results = async (number: number) => {
        const locations = Float32Array.from(await (inputs[1] as tf.Tensor).data());
        for (let i = 0; i < locations.length; i += 7) locations[i] = number;
        const [v, l, w] = [inputs[0], tf.tensor(locations, inputs[1]?.shape), inputs[2]] as [tf.Tensor, tf.Tensor, tf.Tensor];
        return [attend(way, v, l, w), ...tf.grads((a, b, c) => attend(way, a, b, c))([v, l, w], dy)];
      };
      const [actual, expected] = [await results(place), await results(-5)];
      for (const [i, tensor] of actual.entries()) {
        const [values, same] = [await tensor.data(), (await expected[i]?.data()) ?? []];
        // A GPU adds in an order of its own, so that the same sums may differ in their last bits.
        if (tf.getBackend() === 'webgpu') expect(relativeError(values, same)).toBeLessThan(1e-6);
        else expect(values).toEqual(same);
      }
    });

    it('leaves nothing behind', async () => {
      const golden = await GoldenCase.read('grounding-dino-sampling');
      const inputs = ['value', 'locations', 'weights'].map((name) => golden.tensor(`in.${name}`));
      const dy = golden.tensor('in.grad');
      const leak = await leakOf(() => tf.dispose(tf.grads((v, l, w) => attend(way, v, l, w))(inputs, dy)));
      expect(leak).toBe(0);
    });

    it('refuses levels that do not fit the value', () => {
      expect(() => attend(way, tf.zeros([1, 10, 1, 2]), tf.zeros([1, 1, 1, 3, 1, 2]), tf.zeros([1, 1, 1, 3, 1]))).toThrow(
        '49 cells',
      );
    });
  },
);
