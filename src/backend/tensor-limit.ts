import { tf } from './tf.js';

const FLOAT_BYTES = 4;
const MEGABYTE = 2 ** 20;

/**
 * Maximum number of four-byte elements in a tensor of the current backend: on WebGPU, the device's limit of a buffer; elsewhere
 * only memory is limited. Computations with larger tensors must be split.
 *
 * `SONOGROUND_TENSOR_MB` lowers it on any backend, to simulate a small device.
 */
export function largestTensorSize(): number {
  const asked = Number(process.env['SONOGROUND_TENSOR_MB'] || Number.POSITIVE_INFINITY) * MEGABYTE;
  if (tf.getBackend() !== 'webgpu') return Math.floor(asked / FLOAT_BYTES);
  const { maxBufferSize, maxStorageBufferBindingSize } = (tf.backend() as unknown as { readonly device: GPUDevice }).device
    .limits;
  return Math.floor(Math.min(asked, maxBufferSize, maxStorageBufferBindingSize) / FLOAT_BYTES);
}
