import { beforeAll, expect, it } from '@jest/globals';
import { describeBackend, initBackend, listAdapters, tf } from '../../src/backend/index.js';
import { multiScaleDeformableAttention } from '../../src/ops/index.js';
import { RuntimeError } from '../../src/util/index.js';
import { leakOf } from '../support/backend.js';
import { relativeError } from '../support/compare.js';
import { describeWebgpu, webgpuMissing } from '../support/webgpu.js';

const missing = await webgpuMissing();

describeWebgpu(missing, 'the WebGPU backend', () => {
  beforeAll(async () => {
    expect(await initBackend('webgpu')).toBe('webgpu');
    tf.env().set('WEBGPU_CPU_FORWARD', false); // small inputs too are to be computed by the device
  });

  it('lists adapters, and says what it runs on', async () => {
    const [adapter] = await listAdapters();
    expect(adapter?.vendor).not.toBe('');
    expect(adapter?.maxTensorBytes).toBeGreaterThanOrEqual(2 ** 27);
    const report = await describeBackend();
    expect(report).toMatchObject({ backend: 'webgpu', tensorflow: undefined, nativeOps: ['deformable attention'] });
    expect(report.device).toContain(adapter?.vendor);
    expect(report.gflops).toBeGreaterThan(0);
  });

  it('has the limits of the adapter, not those that WebGPU grants everyone', async () => {
    const { device } = tf.backend() as unknown as { device: GPUDevice };
    const [adapter] = await listAdapters();
    expect(Math.min(device.limits.maxBufferSize, device.limits.maxStorageBufferBindingSize)).toBe(adapter?.maxTensorBytes);
  });

  it('is as good as the plain backend at sines, also of large angles', async () => {
    const angles = Float32Array.from({ length: 500 }, (_, i) => (i - 200) * 1.37 + i ** 2 / 97);
    const exact = (f: (x: number) => number) => angles.map(f);
    expect(relativeError(await tf.sin(tf.tensor1d(angles)).data(), exact(Math.sin))).toBeLessThan(1e-6);
    expect(relativeError(await tf.cos(tf.tensor1d(angles)).data(), exact(Math.cos))).toBeLessThan(1e-6);
    expect([...(await tf.sin(tf.tensor2d([0, -Math.PI / 2], [2, 1])).data())]).toEqual([0, -1]);
  });

  it('orders the largest as TensorFlow does: equal ones by place, minus infinity last but within the row', async () => {
    const x = tf.tensor2d([1, 5, -Infinity, 5, 0, -0, -Infinity, -Infinity, -3, -Infinity, 7, -Infinity], [2, 6]);
    const { values, indices } = tf.topk(x, 5);
    expect(indices.dtype).toBe('int32');
    expect([...(await indices.data())]).toEqual([1, 3, 0, 4, 5, 4, 2, 0, 1, 3]);
    expect([...(await values.data())]).toEqual([5, 5, 1, 0, -0, 7, -3, -Infinity, -Infinity, -Infinity]);
    expect([...(await tf.topk(tf.tensor2d([4, 9], [2, 1]), 1).values.data())]).toEqual([4, 9]);
    expect([...(await tf.topk(tf.tensor1d([3, 8, 8], 'int32'), 2).indices.data())]).toEqual([1, 2]);
  });

  it('sums, counts, compares and transposes integers and booleans along any axis', async () => {
    const x = tf.tensor3d([3, 0, 1, 2, 5, 4, 9, 7, 8, 6, 2, 1], [2, 3, 2], 'int32');
    const truth = tf.greater(x, 1);
    const results = {
      transposed: [tf.transpose(x, [0, 2, 1]), 'int32', [3, 1, 5, 0, 2, 4, 9, 8, 2, 7, 6, 1]],
      cast: [tf.transpose(tf.cast(truth, 'float32'), [0, 2, 1]), 'float32', [1, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 0]],
      turned: [tf.transpose(truth, [2, 1, 0]), 'bool', [1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 0]],
      cumulated: [tf.cumsum(x, 1), 'int32', [3, 0, 4, 2, 9, 6, 9, 7, 17, 13, 19, 14]],
      sum: [tf.sum(x, 1), 'int32', [9, 6, 19, 14]],
      count: [tf.sum(truth, 1), 'int32', [2, 2, 3, 2]],
      largest: [tf.max(x, 0), 'int32', [9, 7, 8, 6, 5, 4]],
      place: [tf.argMax(x, 1), 'int32', [2, 2, 0, 0]],
      all: [tf.all(truth, 1), 'bool', [0, 0, 1, 0]],
      any: [tf.any(truth, 0), 'bool', [1, 1, 1, 1, 1, 1]],
      mean: [tf.mean(x, 1), 'float32', [3, 2, 19 / 3, 14 / 3].map(Math.fround)],
      segments: [tf.unsortedSegmentSum(x, tf.tensor1d([1, 1], 'int32'), 2), 'int32', [0, 0, 0, 0, 0, 0, 12, 7, 9, 8, 7, 5]],
    } as const;
    for (const [name, [tensor, dtype, expected]] of Object.entries(results))
      expect([name, tensor.dtype, ...(await tensor.data())]).toEqual([name, dtype, ...expected]);
  });

  it('selects in shapes of five and six sides', async () => {
    const shape = [2, 1, 3, 1, 2, 1];
    const a = tf.range(0, 12).reshape(shape);
    const chosen = tf.where(tf.greater(a, 6), a, tf.zerosLike(a));
    expect(chosen.shape).toEqual(shape);
    expect([...(await chosen.data())]).toEqual([0, 0, 0, 0, 0, 0, 0, 7, 8, 9, 10, 11]);
  });

  it('refuses a synchronous read and a tensor that is not on the device, and still works afterwards', async () => {
    const x = tf.add(tf.ones([3]), 1);
    expect(() => x.dataSync()).toThrow(/cannot read values synchronously.*await tensor.data\(\)/);
    const [adapter] = await listAdapters();
    const elements = (adapter?.maxTensorBytes as number) / 4 + 1;
    expect(() => tf.fill([elements], 1)).toThrow(RuntimeError);
    expect(() => tf.fill([elements], 1)).toThrow(/more than the \d+ MB that the device holds in one/);
    expect([...(await x.data())]).toEqual([2, 2, 2]);
  });

  it('leaves nothing behind, and gives back memory of sizes that are no longer used', async () => {
    expect(await leakOf(() => tf.dispose(tf.tidy(() => tf.topk(tf.sin(tf.range(0, 50)), 3))))).toBe(0);
    const { bufferManager } = tf.backend() as unknown as { bufferManager: { numBytesAllocated: number } };
    const bytes = 2 ** 24; // a tensor, the one it is made from, and what reads it: three such buffers a call
    for (let i = 0; i < 12; i++) {
      const x = tf.tidy(() => tf.mul(tf.fill([bytes / 4 + 1000 * i], 2), 3));
      await x.data();
      x.dispose();
    }
    expect(bufferManager.numBytesAllocated).toBeLessThan(2 ** 28 + 3 * bytes);
  });

  it('computes deformable attention by its own program', async () => {
    const args = {
      value: tf.ones([2, 6, 2, 4]) as tf.Tensor4D,
      spatialShapes: [[2, 3]] as const,
      samplingLocations: tf.fill([2, 4, 2, 1, 1, 2], 0.5),
      attentionWeights: tf.ones([2, 4, 2, 1, 1]),
    };
    const { kernelNames } = await tf.profile(() => multiScaleDeformableAttention(args));
    expect(kernelNames).toContain('SonogroundDeformableAttention');
  });
});
