import { tf } from '../../backend/index.js';
import type { BiomedParseConfig } from '../../models/biomed-parse/index.js';
import { inference } from '../../nn/index.js';
import { loadBiomedParseModel } from '../../pretrained/index.js';
import { type BlockTensor, pathsOf, watchBlocks } from '../watch-blocks.js';
import type { RawInputs } from './raw-inputs.js';

/** Multiples of which the sides of an image must be: the backbone halves it five times. */
const DIVISOR = 32;

/**
 * The masks of all queries of one forward pass of a BiomedParse, their class embeddings, and how alike they are to each text. Several
 * texts are one prompt, as in the authors' code.
 *
 * @param states - also return what every block computes, by the path of its first module, further results of a block by their names;
 *   and as `PATH.blocked` where the queries of each cross-attention must not attend, 1 for such a cell.
 */
export async function rawBiomedParse(
  config: BiomedParseConfig,
  inputs: RawInputs,
  path: string,
  { states }: { readonly states: boolean },
): Promise<Record<string, tf.Tensor>> {
  const [, , h = DIVISOR, w = DIVISOR] = inputs.sizes('pixel_values', ['B', 3, 'H', 'W'], { B: 1 });
  if (h % DIVISOR !== 0 || w % DIVISOR !== 0)
    inputs.problem(`pixel_values: expected sides that are multiples of ${DIVISOR}, got ${w}x${h}`);
  const { vocabSize, maxPositionEmbeddings } = config.text;
  const [n, t] = inputs.sizes('input_ids', ['N', 'T'], {});
  inputs.sizes('attention_mask', ['N', 'T'], { N: n, T: t }, 'optional');
  inputs.range('input_ids', 0, vocabSize - 1);
  inputs.range('attention_mask', 0, 1);
  if (t !== undefined && t > maxPositionEmbeddings)
    inputs.problem(`input_ids: expected at most ${maxPositionEmbeddings} tokens, got ${t}`);
  inputs.check(['pixel_values', 'input_ids', 'attention_mask']);
  const texts = await textsOf(inputs);
  const model = await loadBiomedParseModel(path, config);
  try {
    const seen: Record<string, tf.Tensor> = {};
    const paths = pathsOf(model);
    const named = ({ owner, name, first }: BlockTensor) => {
      const known = paths.get(owner);
      const full = first ? known : `${known}.${name}`;
      // What shares its first module with an earlier block has no name of its own.
      return known === undefined || full === undefined || Object.hasOwn(seen, full) ? undefined : full;
    };
    const watching = watchBlocks(seen, named, ['blocked']);
    const outputs = tf.tidy(() => {
      const given = { pixelValues: inputs.image('pixel_values'), texts };
      const { predMasks, classEmbeds, similarity } = model.forward(given, states ? watching : inference);
      return { pred_masks: predMasks, class_embeds: classEmbeds, similarity };
    });
    return { ...seen, ...outputs };
  } finally {
    model.dispose();
    tf.dispose(texts);
  }
}

/** Each text without its padding, [1, T] i32. */
async function textsOf(inputs: RawInputs): Promise<tf.Tensor2D[]> {
  const ids = inputs.whole<tf.Tensor2D>('input_ids') as tf.Tensor2D;
  const mask = inputs.whole<tf.Tensor2D>('attention_mask') ?? tf.onesLike(ids);
  const lengths = tf.sum(mask, 1);
  const texts = [...(await lengths.data<'int32'>())].map((length, i) => tf.slice(ids, [i, 0], [1, Math.max(1, length)]));
  tf.dispose([ids, mask, lengths]);
  return texts;
}
