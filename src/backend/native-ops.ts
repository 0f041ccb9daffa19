import { loadCudaOps } from './cuda-ops.js';
import {
  registerNativeAttention,
  registerNativeBfloat16,
  registerNativeDeformableAttention,
  registerNativeDropout,
  registerNativeGelu,
  registerNativeLayerNorm,
  registerNativeLinear,
  registerNativeMapAttention,
  registerNativeMlp,
  registerNativeRelu,
  usesAmx,
} from './kernels/index.js';
import { loadNativeObject } from './native-objects.js';
import { tf } from './tf.js';

/** Whether this project's TensorFlow operations are used, and if not, why. */
export interface NativeOps {
  /** Names of the computations they do. Empty if the portable versions are used. */
  readonly names: readonly string[];
  /** A clause with the reason why they are not available; undefined if they are. */
  readonly reason: string | undefined;
}

let state: NativeOps = { names: [], reason: 'the backend is not TensorFlow' };

/** The result of {@link loadNativeOps}. */
export function nativeOps(): NativeOps {
  return state;
}

/**
 * Loads the operations, if the set-up could compile them, and registers their kernels. TensorFlow must be loaded. Does not throw:
 * everything has a portable version.
 *
 * `SONOGROUND_NATIVE_OPS=0` selects the portable versions. On a GPU only deformable attention is available, if it was compiled
 * for CUDA.
 */
export function loadNativeOps(): NativeOps {
  const gpu = isOnGpu();
  const reason = tryToLoad(gpu);
  state = { names: reason === undefined ? (gpu ? ['deformable attention'] : register()) : [], reason };
  return state;
}

/** @returns names of the computations they do. */
function register(): string[] {
  registerNativeDeformableAttention();
  registerNativeAttention();
  if (!usesAmx()) registerNativeMapAttention();
  registerNativeLayerNorm();
  registerNativeGelu();
  registerNativeRelu();
  registerNativeDropout();
  registerNativeLinear();
  registerNativeMlp();
  registerNativeBfloat16();
  return ['deformable attention', 'attention', 'layer norm', 'GELU', 'linear maps', 'dropout', 'graphs'];
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
