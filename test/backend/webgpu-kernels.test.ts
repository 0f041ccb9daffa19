import { beforeAll, expect, it } from '@jest/globals';
import { initBackend, tf } from '../../src/backend/index.js';
import { relativeError } from '../support/compare.js';
import { describeWebgpu, webgpuMissing } from '../support/webgpu.js';

const SHAPES = [
  [2, 1, 3, 2, 4],
  [2, 1, 3, 2, 2, 3],
];

/** What the package's own programs cannot do with so many sides, or do wrongly. */
const CALLS: Readonly<Record<string, (x: tf.Tensor) => tf.Tensor>> = {
  'a slice, whose gradient pads': (x) =>
    tf.slice(
      x,
      x.shape.map((_, i) => (i === 2 ? 1 : 0)),
      x.shape.map((side, i) => (i === 2 ? 2 : side)),
    ),
  'pads on several sides': (x) =>
    tf.pad(
      x,
      x.shape.map((_, i) => [i % 2, (i + 1) % 3]),
      1.5,
    ),
  'no pads': (x) =>
    tf.pad(
      x,
      x.shape.map(() => [0, 0]),
    ),
  tiles: (x) =>
    tf.tile(
      x,
      x.shape.map((_, i) => 1 + (i % 2)),
    ),
  'a vector on the last side': (x) => tf.minimum(x, tf.linspace(-1, 1, x.shape.at(-1) as number)),
  'a product with a column': (x) => tf.mul(x, tf.tensor([0.5, -2]).reshape([2, ...x.shape.slice(1).map(() => 1)])),
  'an outer sum': (x) => tf.add(tf.sum(x, 0, true), tf.sum(x, [2, 3], true)),
  'the other way round': (x) => tf.reverse(x, [0, -1]),
  'sums so far': (x) => tf.cumsum(x, 2),
  'sums of what is behind': (x) => tf.cumsum(x, x.rank - 1, true, true),
  products: (x) => tf.prod(x, 2),
};

/** TensorFlow.js itself has no right gradient of these. */
const WITHOUT_GRADIENT = ['tiles', 'sums so far'];

const missing = await webgpuMissing();

describeWebgpu(missing, 'kernels of WebGPU for five and six sides', () => {
  beforeAll(async () => {
    await initBackend('webgpu');
  });

  /** A tensor of sines and another as weights of the result, so that no two places count alike. */
  const wave = (shape: readonly number[], phase: number) =>
    tf.tensor(
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(1.3 * i + phase)),
      [...shape],
    );

  async function resultsOf(backend: 'cpu' | 'webgpu', shape: readonly number[], name: string) {
    const call = CALLS[name] as (x: tf.Tensor) => tf.Tensor;
    await initBackend(backend);
    if (backend === 'webgpu') tf.env().set('WEBGPU_CPU_FORWARD', false); // small inputs too are to be computed by the device
    const x = wave(shape, 0);
    const y = call(x);
    const weighted = (z: tf.Tensor) => tf.sum(tf.mul(call(z), wave(y.shape, 5)));
    const gradient = WITHOUT_GRADIENT.includes(name) ? tf.zeros([1]) : tf.grad(weighted)(x);
    return { shape: y.shape, values: await y.data(), gradient: await gradient.data() };
  }

  it.each(Object.keys(CALLS))('%s: as on the plain backend, with the gradient', async (name) => {
    for (const shape of SHAPES) {
      const expected = await resultsOf('cpu', shape, name);
      const actual = await resultsOf('webgpu', shape, name);
      expect(actual.shape).toEqual(expected.shape);
      expect(relativeError(actual.values, expected.values)).toBeLessThan(1e-5);
      expect(relativeError(actual.gradient, expected.gradient)).toBeLessThan(1e-5);
    }
  });

  it('counts truth values so far, along any side', async () => {
    await initBackend('webgpu');
    const counts = tf.cumsum(tf.tensor2d([1, 0, 1, 1, 1, 0], [2, 3], 'bool'), 0, false, true);
    expect(counts.dtype).toBe('int32');
    expect([...(await counts.data())]).toEqual([2, 1, 1, 1, 1, 0]);
    const large = tf.cumsum(tf.tensor1d([2 ** 24, 1, 1], 'int32'));
    expect([...(await large.data())]).toEqual([2 ** 24, 2 ** 24 + 1, 2 ** 24 + 2]);
  });
});
