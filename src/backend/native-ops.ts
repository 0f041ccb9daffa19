import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { loadCudaOps } from './cuda-ops.js';
import {
  registerNativeAttention,
  registerNativeDeformableAttention,
  registerNativeGelu,
  registerNativeLayerNorm,
  registerNativeLinear,
} from './kernels/index.js';
import { tf } from './tf.js';

/** Whether the TensorFlow operations of this project are used, and if not, why. */
export interface NativeOps {
  /** What is computed by them, in words. Empty where the portable versions do it. */
  readonly names: readonly string[];
  /** In a clause, why there are none; undefined if there are. */
  readonly reason: string | undefined;
}

const require = createRequire(import.meta.url);

/** What the set-up (`scripts/lib/native-ops.mjs`) puts beside the binding: the object, or a text that says why not. */
const OBJECT = /^sonoground-ops-[0-9a-f]+\.node$/;
const REASON = /^sonoground-ops-[0-9a-f]+\.failed$/;

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
  const linear = registerNativeLinear();
  return ['deformable attention', 'attention', 'layer norm', 'GELU', ...(linear ? ['linear maps'] : [])];
}

function isOnGpu(): boolean {
  return (tf.engine().findBackend('tensorflow') as unknown as { isUsingGpuDevice: boolean }).isUsingGpuDevice;
}

function tryToLoad(gpu: boolean): string | undefined {
  if (process.env['SONOGROUND_NATIVE_OPS'] === '0') return 'SONOGROUND_NATIVE_OPS=0 switches them off';
  if (gpu) return loadCudaOps();
  try {
    const dir = join(dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json')), 'lib', 'napi-v8');
    const names = readdirSync(dir);
    const object = names.find((name) => OBJECT.test(name));
    if (object === undefined) return reasonIn(dir, names);
    require(join(dir, object));
    return undefined;
  } catch (error) {
    return `they could not be loaded: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`;
  }
}

function reasonIn(dir: string, names: readonly string[]): string {
  const note = names.find((name) => REASON.test(name));
  return note === undefined ? 'they are not installed' : readFileSync(join(dir, note), 'utf8').trim();
}
