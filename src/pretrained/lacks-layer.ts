import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openWeights, weightFile } from '../weights/index.js';

/**
 * Whether the weights of an adapter hold nothing for a layer, in any naming.
 *
 * @param path - the folder or file of an adapter.
 * @param layer - end of the layer's path: `bbox_embed.0.layers.2`.
 * @throws CheckpointError when there are no readable weights.
 */
export async function lacksLayer(path: string, layer: string): Promise<boolean> {
  const own = join(path, 'adapter_model.safetensors');
  const present = (await stat(own).catch(() => undefined))?.isFile() === true;
  const weights = await openWeights(present ? own : await weightFile(path));
  try {
    return ![...weights.tensors.keys()].some((key) => `.${key}.`.includes(`.${layer}.`));
  } finally {
    await weights.close();
  }
}
