import { expect, it, jest } from '@jest/globals';

const adapters = await import('../../src/backend/webgpu/adapters.js');
jest.unstable_mockModule('../../src/backend/webgpu/adapters.js', () => ({
  ...adapters,
  hasGraphicsDevice: () => true,
  listAdapters: async () => (await adapters.listAdapters()).map((adapter) => ({ ...adapter, software: false })),
}));
const { initBackend, tf } = await import('../../src/backend/index.js');
const { describeWebgpu, webgpuMissing } = await import('../support/webgpu.js');
const missing = await webgpuMissing();

describeWebgpu(missing, 'auto, where the adapter passes for a real one', () => {
  it('takes WebGPU for inference, unless there is a CUDA device, and never for training', async () => {
    const trains = await initBackend('auto', undefined, 'training');
    expect(trains).not.toBe('webgpu');
    const cuda = trains === 'tensorflow' && (tf.backend() as unknown as { isUsingGpuDevice: boolean }).isUsingGpuDevice;
    expect(await initBackend('auto')).toBe(cuda ? 'tensorflow' : 'webgpu');
    expect([...(await tf.add(tf.tensor1d([1, 2]), 1).data())]).toEqual([2, 3]);
  });
});
