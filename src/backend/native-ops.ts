import { loadCudaOps } from './cuda-ops.js';
import {
  registerNativeAttention,
  registerNativeDeformableAttention,
  registerNativeGelu,
  registerNativeLayerNorm,
  registerNativeLinear,
  registerNativeMlp,
} from './kernels/index.js';
import { loadNativeObject } from './native-objects.js';
import { tf } from './tf.js';

/** Whether the TensorFlow operations of this project are used, and if not, why. */
export interface NativeOps {
  /** What is computed by them, in words. Empty where the portable versions do it. */
  readonly names: readonly string[];
  /** In a clause, why there are none; undefined if there are. */
  readonly reason: string | undefined;
}

let state: NativeOps = { names: [], reason: 'the backend is not TensorFlow' };

/** What {@link loadNativeOps} came to. */
export function nativeOps(): NativeOps {
  return state;
}

/**
 * Loads the operations, if the set-up could compile them, and registers the kernels that run them. TensorFlow must be loaded.
 * Does not throw: everything has a portable version.
 *
 * `SONOGROUND_NATIVE_OPS=0` keeps to the portable versions. On a GPU it is deformable attention alone, if it was compiled for one.
 */
export function loadNativeOps(): NativeOps {
  const gpu = isOnGpu();
  const reason = tryToLoad(gpu);
  state = { names: reason === undefined ? (gpu ? ['deformable attention'] : register()) : [], reason };
  return state;
}

/** @returns what is computed by them, in words. */
function register(): string[] {
  registerNativeDeformableAttention();
  registerNativeAttention();
  registerNativeLayerNorm();
  registerNativeGelu();
  registerNativeLinear();
  registerNativeMlp();
  return ['deformable attention', 'attention', 'layer norm', 'GELU', 'linear maps', 'graphs'];
}

function isOnGpu(): boolean {
  return (tf.engine().findBackend('tensorflow') as unknown as { isUsingGpuDevice: boolean }).isUsingGpuDevice;
}

function tryToLoad(gpu: boolean): string | undefined {
  if (process.env['SONOGROUND_NATIVE_OPS'] === '0') return 'SONOGROUND_NATIVE_OPS=0 switches them off';
  if (gpu) return loadCudaOps();
  try {
    const loaded = loadNativeObject('sonoground-ops');
    return 'reason' in loaded ? (loaded.reason ?? 'they are not installed') : undefined;
  } catch (error) {
    return `they could not be loaded: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`;
  }
}
