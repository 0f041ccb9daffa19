import { tf } from './tf.js';

const FLOAT_BYTES = 4;
const MEGABYTE = 2 ** 20;

/**
 * Numbers, of four bytes, of the largest tensor that the current backend holds: what the device allows in one buffer, on WebGPU;
 * elsewhere the memory is the limit. Work that makes larger ones is to be cut into parts.
 *
 * `SONOGROUND_TENSOR_MB` lowers it on any backend, to try what a small device would do.
 */
export function largestTensorSize(): number {
  const asked = Number(process.env['SONOGROUND_TENSOR_MB'] || Number.POSITIVE_INFINITY) * MEGABYTE;
  if (tf.getBackend() !== 'webgpu') return Math.floor(asked / FLOAT_BYTES);
  const { maxBufferSize, maxStorageBufferBindingSize } = (tf.backend() as unknown as { readonly device: GPUDevice }).device
    .limits;
  return Math.floor(Math.min(asked, maxBufferSize, maxStorageBufferBindingSize) / FLOAT_BYTES);
}
