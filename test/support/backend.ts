import { beforeAll } from '@jest/globals';
import { initBackend, tf } from '../../src/backend/index.js';

/** Starts the backend that `SONOGROUND_BACKEND` names (default: the native one if it is there) before the tests of a file. */
export function useBackend(): void {
  beforeAll(async () => {
    await initBackend((process.env['SONOGROUND_BACKEND'] as 'auto' | undefined) ?? 'auto', undefined, 'training');
  });
}

/** Runs `body` and returns how many tensors it left behind. */
export async function leakOf(body: () => unknown): Promise<number> {
  const before = tf.memory().numTensors;
  await body();
  return tf.memory().numTensors - before;
}
