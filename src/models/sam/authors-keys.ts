/**
 * Renames from the authors' names (left), which MedSAM uses too, to Hugging Face's, which this project uses.
 *
 * @see facebookresearch/segment-anything, `segment_anything/modeling`; transformers' `convert_sam_to_hf.py`
 */

import { decoderHeads, decoderTransformer, maskDownscaling, type Renames, within } from '../sam-common/index.js';

const encoder: Renames = [
  ['patch_embed.proj.*', 'patch_embed.projection.*'],
  ['pos_embed', 'pos_embed'],
  ['blocks.*.norm1.*', 'layers.*.layer_norm1.*'],
  ['blocks.*.norm2.*', 'layers.*.layer_norm2.*'],
  // Queries, keys and values are fused here too.
  ['blocks.*.attn.**', 'layers.*.attn.**'],
  ['blocks.*.mlp.**', 'layers.*.mlp.**'],
  ['neck.0.*', 'neck.conv1.*'],
  ['neck.1.*', 'neck.layer_norm1.*'],
  ['neck.2.*', 'neck.conv2.*'],
  ['neck.3.*', 'neck.layer_norm2.*'],
];

const prompts: Renames = [
  ['not_a_point_embed.weight', 'not_a_point_embed.weight'],
  ['no_mask_embed.weight', 'no_mask_embed.weight'],
  ['point_embeddings.*.weight', 'point_embed.*.weight'],
  ...maskDownscaling,
];

/** Conversion of the authors' `.pth` files to Hugging Face's names. */
export const samAuthorsKeys = {
  name: "the authors' naming of SAM",
  sign: 'prompt_encoder.pe_layer.positional_encoding_gaussian_matrix',
  renames: [
    ...within('image_encoder', 'vision_encoder', encoder),
    // Shared by images and prompts; in this model its first path is the image's.
    ['prompt_encoder.pe_layer.positional_encoding_gaussian_matrix', 'shared_image_embedding.positional_embedding'],
    ...within('prompt_encoder', 'prompt_encoder', prompts),
    ...within('mask_decoder', 'mask_decoder', [...decoderTransformer('out_proj'), ...decoderHeads]),
  ] satisfies Renames,
  fused: [],
} as const;

/** Unused keys of the authors' files: image normalisation constants, if a file was saved with its buffers. */
export const samAuthorsUnusedKeys: readonly string[] = ['pixel_mean', 'pixel_std'];
