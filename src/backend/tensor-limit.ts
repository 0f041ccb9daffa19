import { tf } from './tf.js';

/**
 * Bytes of the largest tensor that the current backend holds: what the device allows in one buffer, on WebGPU; elsewhere the memory
 * is the limit. Work that makes larger ones is to be cut into parts.
 *
 * `SONOGROUND_TENSOR_MB` lowers it on any backend, to try what a small device would do.
 */
export function largestTensorBytes(): number {
  const asked = Number(process.env['SONOGROUND_TENSOR_MB'] || Number.POSITIVE_INFINITY) * 2 ** 20;
  if (tf.getBackend() !== 'webgpu') return asked;
  const { maxBufferSize, maxStorageBufferBindingSize } = (tf.backend() as unknown as { readonly device: GPUDevice }).device
    .limits;
  return Math.min(asked, maxBufferSize, maxStorageBufferBindingSize);
}
