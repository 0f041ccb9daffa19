import { availableParallelism } from 'node:os';
import { nativeProcessor } from './kernels/index.js';
import { nativeOps } from './native-ops.js';
import { tf } from './tf.js';
import { type AdapterReport, adapterInUse } from './webgpu/index.js';

/** What a backend runs on. */
export interface BackendReport {
  readonly backend: string;
  /** Of the native library; absent on portable backends. */
  readonly tensorflow: string | undefined;
  readonly tfjs: string;
  readonly gpu: boolean;
  /** The device's name, where the backend tells it. */
  readonly device: string | undefined;
  /** How many threads compute one operation. */
  readonly threads: number;
  /** How many kinds of operations there are. */
  readonly kernels: number;
  /** What operations of the project's own compute, in words. */
  readonly nativeOps: readonly string[];
  /** In a clause, why there are none; undefined if there are. */
  readonly nativeOpsReason: string | undefined;
  /** Which of the processor's means they use, in words; undefined where there are none or they run elsewhere. */
  readonly nativeOpsOn: string | undefined;
  /** Best of several products of square matrices, in 10^9 operations a second. */
  readonly gflops: number;
}

/** Sides of the matrices that are multiplied, by how fast a backend is. */
const SIDES: Readonly<Record<string, readonly number[]>> = {
  tensorflow: [1024, 1536, 2048],
  webgpu: [1024, 2048],
  'webgpu in software': [128],
  wasm: [512],
  cpu: [192],
};

/** Of each size. The best counts: what else runs on the machine can only make it slower. */
const RUNS = 6;

/** Describes the current backend, without measuring it. */
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

/** Describes the current backend and measures it. */
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
    // A number of the product is enough to wait for it; to fetch all of them from a GPU could take longer.
    const number = tf.tidy(() => tf.slice(tf.matMul(a, a), [0, 0], [1, 1]));
    await number.data();
    number.dispose();
    best = Math.max(best, (2 * side ** 3) / (performance.now() - begin) / 1e6);
  }
  a.dispose();
  return best;
}
