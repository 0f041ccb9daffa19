import { availableParallelism } from 'node:os';
import { nativeProcessor } from './kernels/index.js';
import { nativeOps } from './native-ops.js';
import { tf } from './tf.js';
import { type AdapterReport, adapterInUse } from './webgpu/index.js';

/** Description of a backend and its device. */
export interface BackendReport {
  readonly backend: string;
  /** Version of the native library; undefined for portable backends. */
  readonly tensorflow: string | undefined;
  readonly tfjs: string;
  readonly gpu: boolean;
  /** The device's name, if the backend reveals it. */
  readonly device: string | undefined;
  /** Number of threads per operation. */
  readonly threads: number;
  /** Number of kernels. */
  readonly kernels: number;
  /** Names of the computations done by the project's own operations. */
  readonly nativeOps: readonly string[];
  /** A clause with the reason why they are not available; undefined if they are. */
  readonly nativeOpsReason: string | undefined;
  /** The instruction sets that they use; undefined if there are none or they run elsewhere. */
  readonly nativeOpsOn: string | undefined;
  /** Best of several products of square matrices, in GFLOP/s. */
  readonly gflops: number;
}

/** Sizes of the square matrices, by the backend's speed. */
const SIDES: Readonly<Record<string, readonly number[]>> = {
  tensorflow: [1024, 1536, 2048],
  webgpu: [1024, 2048],
  'webgpu in software': [128],
  wasm: [512],
  cpu: [192],
};

/** Per size. The best one counts, as other load on the machine only slows it down. */
const RUNS = 6;

/** Describes the current backend without a benchmark. */
export function backendFacts(): Omit<BackendReport, 'gflops'> {
  const backend = tf.getBackend();
  const native = tf.backend() as unknown as { isUsingGpuDevice?: boolean; binding?: { TF_Version?: string } };
  const isNative = backend === 'tensorflow';
  const adapter = backend === 'webgpu' ? adapterInUse() : undefined;
  return {
    backend,
    tensorflow: isNative ? native.binding?.TF_Version : undefined,
    tfjs: tf.version_core,
    gpu: native.isUsingGpuDevice === true || adapter?.software === false,
    device: adapter === undefined ? undefined : nameOf(adapter),
    threads: isNative ? Number(process.env['TF_NUM_INTRAOP_THREADS'] ?? availableParallelism()) : 1,
    kernels: tf.getKernelsForBackend(backend).length,
    ...ownOps(backend),
  };
}

function ownOps(backend: string): Pick<BackendReport, 'nativeOps' | 'nativeOpsReason' | 'nativeOpsOn'> {
  if (backend === 'webgpu') return { nativeOps: ['deformable attention'], nativeOpsReason: undefined, nativeOpsOn: undefined };
  if (backend !== 'tensorflow') return { nativeOps: [], nativeOpsReason: 'they need TensorFlow', nativeOpsOn: undefined };
  const { names, reason } = nativeOps();
  return {
    nativeOps: names,
    nativeOpsReason: reason,
    nativeOpsOn: names.includes('linear maps') ? nativeProcessor() : undefined,
  };
}

function nameOf({ vendor, architecture, description, software }: AdapterReport): string {
  return `${[vendor, architecture, description].filter((part) => part !== '').join(' ')}${software ? ' (software)' : ''}`;
}

/** Describes the current backend, including a benchmark. */
export async function describeBackend(): Promise<BackendReport> {
  let gflops = 0;
  const software = adapterInUse()?.software === true && tf.getBackend() === 'webgpu';
  for (const side of SIDES[software ? 'webgpu in software' : tf.getBackend()] ?? [])
    gflops = Math.max(gflops, await measure(side));
  return { ...backendFacts(), gflops };
}

async function measure(side: number): Promise<number> {
  const a = tf.randomNormal([side, side], 0, 1, 'float32', 1) as tf.Tensor2D;
  let best = 0;
  for (let run = 0; run < RUNS; run++) {
    const begin = performance.now();
    // Reading a single element suffices to wait for the result; reading all of them from a GPU could take longer.
    const number = tf.tidy(() => tf.slice(tf.matMul(a, a), [0, 0], [1, 1]));
    await number.data();
    number.dispose();
    best = Math.max(best, (2 * side ** 3) / (performance.now() - begin) / 1e6);
  }
  a.dispose();
  return best;
}
