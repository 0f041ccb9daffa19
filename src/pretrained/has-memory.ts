import { openWeights } from '../weights/index.js';
import { resolveModel } from './load-model.js';

/** Keys of the memory, in Hugging Face's naming and in Meta's. */
const MEMORY = 'memory_attention.';

/**
 * Whether a model's weights have the memory that follows objects through clips: those of `sam2_video` and Meta's `.pt` do, those of
 * an image model do not. False for what has no weight file; loading it reports the error.
 */
export async function hasMemory(model: string): Promise<boolean> {
  const weights = await resolveModel(model)
    .then(openWeights)
    .catch(() => undefined);
  if (weights === undefined) return false;
  try {
    return [...weights.tensors.keys()].some((key) => key.includes(MEMORY));
  } finally {
    await weights.close();
  }
}
