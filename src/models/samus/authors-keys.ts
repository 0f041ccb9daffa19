import { samAuthorsKeys } from '../sam/index.js';
import type { Renames } from '../sam-common/index.js';

/** The parts that SAM does not have; here they keep the authors' names. */
const OWN = ['cnn_embed', 'post_pos_embed', 'input_Adapter'];
const OWN_OF_LAYERS = ['Space_Adapter', 'MLP_Adapter', 'refine_Adapter'];

/**
 * Conversion of the authors' `.pth` files: what SAM has too is renamed as there.
 *
 * @see xianlin7/SAMUS, `models/segment_anything_samus/modeling`
 */
export const samusAuthorsKeys = {
  name: "the authors' naming of SAMUS",
  sign: 'image_encoder.cnn_embed.inc.conv.0.weight',
  renames: [
    ...OWN.map((name) => [`image_encoder.${name}.**`, `vision_encoder.${name}.**`] as const),
    ...OWN_OF_LAYERS.map((name) => [`image_encoder.blocks.*.${name}.**`, `vision_encoder.layers.*.${name}.**`] as const),
    ...samAuthorsKeys.renames,
  ] satisfies Renames,
  fused: [],
} as const;
