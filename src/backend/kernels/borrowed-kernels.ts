import { tf } from '../tf.js';
import type { HostBackend } from './host-backend.js';

interface KernelArgs {
  readonly inputs: Readonly<Record<string, tf.TensorInfo>>;
  readonly attrs: tf.NamedAttrMap;
  readonly backend: HostBackend;
}

/**
 * Kernels that training needs and WebAssembly lacks or gets wrong. It also lacks Einsum, complex numbers, strings and ragged
 * tensors, which are not used here.
 */
const BORROWED = [
  'Conv2DBackpropFilter',
  'DepthwiseConv2dNativeBackpropFilter',
  'DepthwiseConv2dNativeBackpropInput',
  // Exists, but is wrong if the pools do not cover the image (odd sizes): the remainder is not zero.
  'MaxPoolGrad',
] as const;

const LENDER = 'cpu';

/**
 * Runs {@link BORROWED} kernels of the WebAssembly backend with the plain CPU backend's implementation, copying inputs and
 * results.
 */
export function registerBorrowedKernels(): void {
  const lender = tf.engine().findBackend(LENDER) as unknown as HostBackend;
  // On its first use the CPU backend advertises the native one; tfjs is still silenced here.
  lender.disposeData(lender.write(new Float32Array(1), [1], 'float32'));
  for (const kernelName of BORROWED) {
    const kernel = tf.getKernel(kernelName, LENDER);
    if (kernel === undefined) continue;
    if (tf.getKernel(kernelName, 'wasm') !== undefined) tf.unregisterKernel(kernelName, 'wasm');
    tf.registerKernel({
      kernelName,
      backendName: 'wasm',
      kernelFunc: (params) => runOn(lender, kernel.kernelFunc, params as unknown as KernelArgs),
    });
  }
}

function runOn(lender: HostBackend, kernel: tf.KernelFunc, { inputs, attrs, backend }: KernelArgs): tf.TensorInfo {
  const move = (from: HostBackend, to: HostBackend, { dataId, shape, dtype }: tf.TensorInfo): tf.TensorInfo => ({
    dataId: to.write(from.readSync(dataId), shape, dtype),
    shape,
    dtype,
  });
  const lent = Object.fromEntries(Object.entries(inputs).map(([name, info]) => [name, move(backend, lender, info)]));
  // Each of these kernels has one output.
  const result = kernel({ inputs: lent, attrs, backend: lender }) as tf.TensorInfo;
  const returned = move(lender, backend, result);
  for (const { dataId } of [...Object.values(lent), result]) lender.disposeData(dataId);
  return returned;
}
