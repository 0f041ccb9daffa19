import { createHash } from 'node:crypto';
import { tf } from '../../backend/index.js';
import { restoreArrays, type TrainingArrays, withArrays } from '../run-folder/index.js';
import type { Ranks } from './ranks.js';

/** Gives all ranks the weights, moments and averages of rank 0, at `step`. */
export async function shareArrays(ranks: Ranks, arrays: TrainingArrays, step: number): Promise<void> {
  const received = new Map<string, tf.Tensor>();
  try {
    await withArrays(arrays, async (own) => {
      // One message an array, so that none exceeds what a message holds.
      for (const [name, tensor] of own) {
        const values = await ranks.onRoot(async () => Float32Array.from(await tensor.data<'float32'>()));
        if (!ranks.isRoot) received.set(name, tf.tensor(values, tensor.shape, 'float32'));
      }
    });
    if (!ranks.isRoot) restoreArrays(arrays, received, step, 'rank 0');
  } finally {
    tf.dispose([...received.values()]);
  }
}

/**
 * Whether all ranks have the same arrays, bit for bit. They compute the same updates from the same gradients, but processors of
 * another kind may round some of their digits otherwise.
 */
export async function haveSameArrays(ranks: Ranks, arrays: TrainingArrays): Promise<boolean> {
  const hash = createHash('sha256');
  await withArrays(arrays, async (own) => {
    for (const tensor of own.values()) {
      const { buffer, byteOffset, byteLength } = await tensor.data<'float32'>();
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    }
  });
  const all = await ranks.gather(hash.digest('hex'));
  return all.every((digest) => digest === all[0]);
}
