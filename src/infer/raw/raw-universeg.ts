import { tf } from '../../backend/index.js';
import type { UniverSegConfig } from '../../models/universeg/index.js';
import { inference } from '../../nn/index.js';
import { loadUniverSeg } from '../../pretrained/index.js';
import { pathsOf, watchBlocks } from '../watch-blocks.js';
import type { RawInputs } from './raw-inputs.js';

/**
 * The mask logits of one forward pass of a UniverSeg; images may have any size that the model takes.
 *
 * @param states - also return what every block computes, as `PATH.NAME` by the path of its first module; layouts as in the model.
 */
export async function rawUniverSeg(
  { encoderBlocks }: UniverSegConfig,
  inputs: RawInputs,
  path: string,
  { states }: { readonly states: boolean },
): Promise<Record<string, tf.Tensor>> {
  const [b, , h, w] = inputs.sizes('target', ['B', 1, 'H', 'W'], {});
  const [, s] = inputs.sizes('support_images', ['B', 'S', 1, 'H', 'W'], { B: b, H: h, W: w });
  inputs.sizes('support_masks', ['B', 'S', 1, 'H', 'W'], { B: b, S: s, H: h, W: w });
  const stride = 2 ** (encoderBlocks.length - 1);
  for (const side of [h, w]) if ((side ?? 0) % stride !== 0) inputs.problem(`target: ${stride} does not divide its side ${side}`);
  inputs.check(['target', 'support_images', 'support_masks']);
  const { model } = await loadUniverSeg(path);
  try {
    const seen: Record<string, tf.Tensor> = {};
    const paths = pathsOf(model);
    const watching = watchBlocks(seen, ({ owner, name }) => `${paths.get(owner)}.${name}`);
    const outputs = tf.tidy(() => {
      const support = ['support_images', 'support_masks'].map((name) => inputs.float<tf.Tensor5D>(name) as tf.Tensor5D);
      const [images, masks] = support as [tf.Tensor5D, tf.Tensor5D];
      const target = inputs.float<tf.Tensor4D>('target') as tf.Tensor4D;
      return { logits: model.forward(target, images, masks, states ? watching : inference) };
    });
    return { ...seen, ...outputs };
  } finally {
    model.dispose();
  }
}
