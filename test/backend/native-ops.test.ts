import * as fs from 'node:fs';
import { afterAll, describe, expect, it, jest } from '@jest/globals';

/** What the folder of the binding is made to hold. */
let files: string[] | undefined;

jest.unstable_mockModule('node:fs', () => ({
  ...fs,
  readdirSync: (path: string) => files ?? fs.readdirSync(path),
  readFileSync: (path: string, encoding: 'utf8') =>
    path.endsWith('.failed') ? 'they did not compile (no such header)\n' : fs.readFileSync(path, encoding),
}));

process.env['SONOGROUND_NATIVE_OPS'] = '0';
const { describeBackend, initBackend, nativeOps, tf } = await import('../../src/backend/index.js');
const { loadNativeOps } = await import('../../src/backend/native-ops.js');
const { multiScaleDeformableAttention } = await import('../../src/ops/index.js');
const name = await initBackend();

afterAll(() => {
  delete process.env['SONOGROUND_NATIVE_OPS'];
});

describe('without native operations', () => {
  it('the portable version is taken, and the reason told', async () => {
    const inputs = {
      value: tf.ones([2, 6, 2, 3]) as never,
      spatialShapes: [[2, 3]] as const,
      samplingLocations: tf.fill([2, 4, 2, 1, 1, 2], 0.5),
      attentionWeights: tf.ones([2, 4, 2, 1, 1]),
    };
    expect([...(await multiScaleDeformableAttention(inputs).data())]).toEqual(new Array(48).fill(1));
    const { kernelNames } = await tf.profile(() => multiScaleDeformableAttention(inputs));
    expect(kernelNames.filter((kernel) => kernel.startsWith('Sonoground'))).toEqual([]);
    const report = await describeBackend();
    expect(report.nativeOps).toEqual([]);
    expect(report.nativeOpsOn).toBeUndefined();
    expect(report.nativeOpsReason).toMatch(name === 'tensorflow' ? /SONOGROUND_NATIVE_OPS=0/ : /TensorFlow/);
  });
});

const onTensorflow = name === 'tensorflow' && !describeIsGpu() ? describe : describe.skip;

function describeIsGpu(): boolean {
  return (tf.backend() as unknown as { isUsingGpuDevice: boolean }).isUsingGpuDevice;
}

onTensorflow('native operations that the set-up left (skipped where the backend is not TensorFlow on a CPU)', () => {
  it.each([
    ['nowhere', [], /not installed/],
    ['for a GPU alone', ['sonoground-cuda-ops-0a.node'], /not installed/],
    ['as a note why not', ['sonoground-ops-0a.failed'], /did not compile \(no such header\)$/],
    ['damaged', ['sonoground-ops-0a.node'], /could not be loaded: .*sonoground-ops-0a\.node/],
  ])('%s', (_name, found, reason) => {
    delete process.env['SONOGROUND_NATIVE_OPS'];
    files = found;
    expect(loadNativeOps()).toEqual({ names: [], reason: expect.stringMatching(reason) });
    expect(nativeOps().names).toEqual([]);
  });

  it.each([
    ['nowhere', ['sonoground-ops-0a.node'], /^those for a GPU are not installed$/],
    ['as a note why not', ['sonoground-cuda-ops-0a.failed'], /did not compile \(no such header\)$/],
    ['damaged', ['sonoground-cuda-ops-0a.node', 'sonoground-ops-0a.node'], /could not be loaded: .*sonoground-cuda-ops-0a\.node/],
  ])('%s, for a GPU', (_name, found, reason) => {
    const backend = tf.backend() as unknown as { isUsingGpuDevice: boolean };
    backend.isUsingGpuDevice = true; // as TensorFlow says where it has one
    files = found;
    try {
      expect(loadNativeOps()).toEqual({ names: [], reason: expect.stringMatching(reason) });
    } finally {
      backend.isUsingGpuDevice = false;
    }
  });
});
