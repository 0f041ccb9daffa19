/**
 * Renames from Meta's names (left) to Hugging Face's, which this project uses.
 *
 * @see facebookresearch/sam2, `sam2/modeling`; transformers' `convert_sam2_video_to_hf.py`
 */

import { decoderHeads, decoderTransformer, maskDownscaling, type Renames, threeLayers, within } from '../sam-common/index.js';

const TRUNK = ['image_encoder.trunk', 'vision_encoder.backbone'] as const;
const PROMPTS = ['sam_prompt_encoder', 'prompt_encoder'] as const;
const DECODER = ['sam_mask_decoder', 'mask_decoder'] as const;

const trunk: Renames = [
  ['patch_embed.proj.*', 'patch_embed.projection.*'],
  ['pos_embed', 'pos_embed'],
  ['pos_embed_window', 'pos_embed_window'],
  ['blocks.*.norm1.*', 'blocks.*.layer_norm1.*'],
  ['blocks.*.norm2.*', 'blocks.*.layer_norm2.*'],
  ['blocks.*.attn.**', 'blocks.*.attn.**'],
  ['blocks.*.proj.*', 'blocks.*.proj.*'],
  ['blocks.*.mlp.layers.0.*', 'blocks.*.mlp.proj_in.*'],
  ['blocks.*.mlp.layers.1.*', 'blocks.*.mlp.proj_out.*'],
];

const prompts: Renames = [
  ['not_a_point_embed.weight', 'not_a_point_embed.weight'],
  ['no_mask_embed.weight', 'no_mask_embed.weight'],
  ...maskDownscaling,
];

const decoder: Renames = [
  ...decoderTransformer('o_proj'),
  ['transformer.layers.*.mlp.layers.0.*', 'transformer.layers.*.mlp.proj_in.*'],
  ['transformer.layers.*.mlp.layers.1.*', 'transformer.layers.*.mlp.proj_out.*'],
  ['obj_score_token.weight', 'obj_score_token.weight'],
  ['conv_s0.*', 'conv_s0.*'],
  ['conv_s1.*', 'conv_s1.*'],
  ...threeLayers('pred_obj_score_head'),
  ...decoderHeads,
];

const PLACES = 'shared_embedding.positional_embedding';

/** Conversion of Meta's `.pt` files to Hugging Face's names. */
export const sam2AuthorsKeys = {
  name: "Meta's naming of SAM 2",
  sign: 'sam_prompt_encoder.pe_layer.positional_encoding_gaussian_matrix',
  renames: [
    ...within(...TRUNK, trunk),
    ['image_encoder.neck.convs.*.conv.*', 'vision_encoder.neck.convs.*.*'],
    ['no_mem_embed', 'no_memory_embedding'],
    ...within(...PROMPTS, prompts),
    ...within(...DECODER, decoder),
  ] satisfies Renames,
  fused: [],
  // One table here, one single-row table per kind of point there.
  stacked: [
    {
      theirs: [0, 1, 2, 3].map((kind) => `${PROMPTS[0]}.point_embeddings.${kind}.weight`),
      ours: `${PROMPTS[1]}.point_embed.weight`,
    },
  ],
  // Prompts and images share one embedding there.
  copied: [
    {
      theirs: `${PROMPTS[0]}.pe_layer.positional_encoding_gaussian_matrix`,
      ours: [`${PROMPTS[1]}.${PLACES}`, 'shared_image_embedding.positional_embedding'],
    },
  ],
} as const;

/** Keys of Meta's files that belong to the memory over video frames. 2.0 lacks the last three, which 2.1 has. */
export const sam2AuthorsUnusedKeys: readonly string[] = [
  'memory_attention.**',
  'memory_encoder.**',
  'maskmem_tpos_enc',
  'no_mem_pos_enc',
  'no_obj_ptr',
  'mask_downsample.*',
  'obj_ptr_proj.**',
  'no_obj_embed_spatial',
  'obj_ptr_tpos_proj.*',
];
