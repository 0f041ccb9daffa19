import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { tf } from '../../src/backend/index.js';

/**
 * What further calls of a function leave behind, after some that warm it up: tensors, and the process's memory in MB.
 * Garbage that V8 has not yet collected is collected first.
 */
export async function growthOf(
  call: (i: number) => Promise<unknown>,
  { warmUp, calls }: { readonly warmUp: number; readonly calls: number },
): Promise<{ tensors: number; megabytes: number }> {
  for (let i = 0; i < warmUp; i++) await call(i);
  const before = { tensors: tf.memory().numTensors, rss: settledRss() };
  for (let i = 0; i < calls; i++) await call(warmUp + i);
  return { tensors: tf.memory().numTensors - before.tensors, megabytes: (settledRss() - before.rss) / 2 ** 20 };
}

/** Resident memory in bytes, once garbage was collected. */
export function settledRss(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage.rss();
}
