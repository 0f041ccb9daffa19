import { sizeOf } from '../../util/index.js';
import { tf } from '../tf.js';
import type { HostBackend } from './host-backend.js';

interface SegmentSumArgs {
  readonly inputs: { readonly x: tf.TensorInfo; readonly segmentIds: tf.TensorInfo };
  readonly attrs: { readonly numSegments: number };
  readonly backend: HostBackend;
}

const KERNEL = 'UnsortedSegmentSum';

/**
 * Registers the segment sum, which is the gradient of gather, with a portable backend. WebAssembly has none, and the plain CPU
 * backend's own traverses the whole input once per segment.
 */
export function registerUnsortedSegmentSum(backendName: 'wasm' | 'cpu'): void {
  if (tf.getKernel(KERNEL, backendName) !== undefined) tf.unregisterKernel(KERNEL, backendName);
  tf.registerKernel({
    kernelName: KERNEL,
    backendName,
    kernelFunc: (params) => unsortedSegmentSum(params as unknown as SegmentSumArgs),
  });
}

/** As in TensorFlow, rows with a negative segment are ignored. */
function unsortedSegmentSum({ inputs: { x, segmentIds }, attrs: { numSegments }, backend }: SegmentSumArgs): tf.TensorInfo {
  const values = backend.readSync(x.dataId);
  const segments = backend.readSync(segmentIds.dataId);
  const rowShape = x.shape.slice(segmentIds.shape.length);
  const rowSize = sizeOf(rowShape);
  const shape = [numSegments, ...rowShape];
  const sums = x.dtype === 'float32' ? new Float32Array(sizeOf(shape)) : new Int32Array(sizeOf(shape));
  for (let row = 0, from = 0; row < segments.length; row++, from += rowSize) {
    const segment = segments[row] as number;
    if (segment < 0 || segment >= numSegments) continue;
    const to = segment * rowSize;
    for (let i = 0; i < rowSize; i++) sums[to + i] = (sums[to + i] as number) + (values[from + i] as number);
  }
  const dtype = x.dtype === 'float32' ? 'float32' : 'int32';
  return { dataId: backend.write(sums, shape, dtype), shape, dtype };
}
