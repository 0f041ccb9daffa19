import { tf } from './tf.js';

/**
 * Bytes of the largest tensor that the current backend holds: what the device allows in one buffer, on WebGPU; elsewhere the memory
 * is the limit. Work that makes larger ones is to be cut into parts.
 */
export function largestTensorBytes(): number {
  if (tf.getBackend() !== 'webgpu') return Number.POSITIVE_INFINITY;
  const { maxBufferSize, maxStorageBufferBindingSize } = (tf.backend() as unknown as { readonly device: GPUDevice }).device
    .limits;
  return Math.min(maxBufferSize, maxStorageBufferBindingSize);
}
