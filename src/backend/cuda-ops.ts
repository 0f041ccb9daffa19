import {
  nativeDeformableAttention,
  nativeDeformableAttentionGradients,
  registerNativeDeformableAttention,
  unregisterNativeDeformableAttention,
} from './kernels/index.js';
import { loadNativeObject } from './native-objects.js';
import { tf } from './tf.js';

/**
 * Loads the operations for CUDA devices and runs one as a test: the GPU may be too old for the compiler, or its driver for the
 * code. Only for a TensorFlow with such a device, and not if the operations for the CPU were loaded, which have the same names.
 * Does not throw.
 *
 * @returns undefined, or a clause with the reason why they are not available.
 */
export function loadCudaOps(): string | undefined {
  try {
    const loaded = loadNativeObject('sonoground-cuda-ops');
    if ('reason' in loaded) return loaded.reason ?? 'those for a GPU are not installed';
    registerNativeDeformableAttention();
  } catch (error) {
    return `they could not be loaded: ${firstLine(error)}`;
  }
  try {
    tryOnce();
    return undefined;
  } catch (error) {
    unregisterNativeDeformableAttention();
    return `they do not run on this GPU: ${firstLine(error)}`;
  }
}

/** One cell, one query, one point: a kernel that does not start makes the call itself fail. */
function tryOnce(): void {
  const before = tf.getBackend();
  tf.setBackend('tensorflow');
  try {
    tf.tidy(() => {
      const inputs = {
        value: tf.ones([1, 1, 1, 1]),
        spatialShapes: tf.ones([1, 2], 'int32'),
        locations: tf.fill([1, 1, 1, 1, 1, 2], 0.5),
        weights: tf.ones([1, 1, 1, 1, 1]),
      };
      nativeDeformableAttentionGradients(inputs, nativeDeformableAttention(inputs));
    });
  } finally {
    if (before !== undefined && before !== '') tf.setBackend(before);
  }
}

function firstLine(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}
