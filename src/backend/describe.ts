import { tf } from './tf.js';

/** What a backend runs on. */
export interface BackendReport {
  readonly backend: string;
  /** Of the native library; absent on portable backends. */
  readonly tensorflow: string | undefined;
  readonly tfjs: string;
  readonly gpu: boolean;
  /** Best of several products of square matrices, in 10^9 operations a second. */
  readonly gflops: number;
}

/** Side of the matrices that are multiplied, by how fast a backend is. */
const SIDE = { tensorflow: 2048, wasm: 512, cpu: 192 } as const;
const RUNS = 6;

/** Describes the current backend and measures it. */
export async function describeBackend(): Promise<BackendReport> {
  const backend = tf.getBackend();
  const native = tf.backend() as unknown as { isUsingGpuDevice?: boolean; binding?: { TF_Version?: string } };
  return {
    backend,
    tensorflow: backend === 'tensorflow' ? native.binding?.TF_Version : undefined,
    tfjs: tf.version_core,
    gpu: native.isUsingGpuDevice === true,
    gflops: await measure(SIDE[backend as keyof typeof SIDE] ?? SIDE.cpu),
  };
}

async function measure(side: number): Promise<number> {
  const a = tf.randomNormal([side, side], 0, 1, 'float32', 1) as tf.Tensor2D;
  let best = 0;
  for (let run = 0; run < RUNS; run++) {
    const begin = performance.now();
    const product = tf.matMul(a, a);
    await product.data();
    product.dispose();
    best = Math.max(best, (2 * side ** 3) / (performance.now() - begin) / 1e6);
  }
  a.dispose();
  return best;
}
