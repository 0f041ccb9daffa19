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

const LINEAR = ['q_proj', 'k_proj', 'v_proj'] as const;

/** Attention of an image to memories. */
const memoryAttention: Renames = [
  ...['self_attn', 'cross_attn_image'].flatMap((name) => [
    ...LINEAR.map((part) => [`layers.*.${name}.${part}.*`, `layers.*.${name}.${part}.*`] as const),
    [`layers.*.${name}.out_proj.*`, `layers.*.${name}.o_proj.*`] as const,
  ]),
  ['layers.*.linear1.*', 'layers.*.linear1.*'],
  ['layers.*.linear2.*', 'layers.*.linear2.*'],
  ...[1, 2, 3].map((n) => [`layers.*.norm${n}.*`, `layers.*.layer_norm${n}.*`] as const),
  ['norm.*', 'layer_norm.*'],
];

/** Layers of the mask's downsampler; activations are numbered too in Meta's files. */
const DOWNSAMPLER_LAYERS = 4;

const memoryEncoder: Renames = [
  ...Array.from({ length: DOWNSAMPLER_LAYERS }, (_, i) => [
    [`mask_downsampler.encoder.${3 * i}.*`, `mask_downsampler.layers.${i}.conv.*`] as const,
    [`mask_downsampler.encoder.${3 * i + 1}.*`, `mask_downsampler.layers.${i}.layer_norm.*`] as const,
  ]).flat(),
  [`mask_downsampler.encoder.${3 * DOWNSAMPLER_LAYERS}.*`, 'mask_downsampler.final_conv.*'],
  ['pix_feat_proj.*', 'feature_projection.*'],
  ['fuser.layers.*.dwconv.*', 'memory_fuser.layers.*.depthwise_conv.*'],
  ['fuser.layers.*.norm.*', 'memory_fuser.layers.*.layer_norm.*'],
  ['fuser.layers.*.pwconv1.*', 'memory_fuser.layers.*.pointwise_conv1.*'],
  ['fuser.layers.*.pwconv2.*', 'memory_fuser.layers.*.pointwise_conv2.*'],
  ['fuser.layers.*.gamma', 'memory_fuser.layers.*.scale'],
  ['out_proj.*', 'projection.*'],
];

/** The memory; SAM 2.0 lacks the last two. */
const memory: Renames = [
  ...within('memory_attention', 'memory_attention', memoryAttention),
  ...within('memory_encoder', 'memory_encoder', memoryEncoder),
  ['maskmem_tpos_enc', 'memory_temporal_positional_encoding'],
  ['no_mem_pos_enc', 'no_memory_positional_encoding'],
  ['no_obj_ptr', 'no_object_pointer'],
  ['mask_downsample.*', 'mask_downsample.*'],
  ['obj_ptr_proj.layers.0.*', 'object_pointer_proj.proj_in.*'],
  ['obj_ptr_proj.layers.1.*', 'object_pointer_proj.layers.0.*'],
  ['obj_ptr_proj.layers.2.*', 'object_pointer_proj.proj_out.*'],
  ['obj_ptr_tpos_proj.*', 'temporal_positional_encoding_projection_layer.*'],
  ['no_obj_embed_spatial', 'occlusion_spatial_embedding_parameter'],
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
    ...memory,
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
