import { tf } from '../tf.js';
import { hasOperation, registerNativeOperation } from './native-operation.js';

const KERNEL = 'SonogroundPackBfloat16';

/** Registers the packing of weights in bfloat16 with the native backend, see `native/linear.cc`. */
export function registerNativeBfloat16(): void {
  registerNativeOperation({ name: KERNEL, inputs: ['weight'], outputs: 1 });
}

/** Whether the current backend has linear maps, MLPs and attention in bfloat16. */
export function hasNativeBfloat16(): boolean {
  return hasOperation(KERNEL);
}

/**
 * Rounds a weight to bfloat16, ties to even, and packs it for `nativeLinear` and `nativeMlp`, in half the memory. The format is that
 * of this process's kernels: never save it.
 *
 * @param weight - [out, in] f32.
 * @returns i32, opaque.
 */
export function packBfloat16(weight: tf.Tensor): tf.Tensor {
  return tf.engine().runKernel(KERNEL, { weight }) as tf.Tensor;
}
