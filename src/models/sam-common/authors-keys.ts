/** Renames common to the authors' namings of SAM and SAM 2 (left) and Hugging Face's (right). */

export type Renames = readonly (readonly [theirs: string, ours: string])[];

/** The same renames below a module. */
export function within(theirs: string, ours: string, renames: Renames): Renames {
  return renames.map(([from, to]) => [`${theirs}.${from}`, `${ours}.${to}`] as const);
}

/** A head of three linear layers, numbered in the authors' files. */
export function threeLayers(head: string): Renames {
  return [
    [`${head}.layers.0.*`, `${head}.proj_in.*`],
    [`${head}.layers.1.*`, `${head}.layers.0.*`],
    [`${head}.layers.2.*`, `${head}.proj_out.*`],
  ];
}

/** Downscaling of an earlier mask to the decoder's channels; activations are numbered too in the authors' files. */
export const maskDownscaling: Renames = [
  ['mask_downscaling.0.*', 'mask_embed.conv1.*'],
  ['mask_downscaling.1.*', 'mask_embed.layer_norm1.*'],
  ['mask_downscaling.3.*', 'mask_embed.conv2.*'],
  ['mask_downscaling.4.*', 'mask_embed.layer_norm2.*'],
  ['mask_downscaling.6.*', 'mask_embed.conv3.*'],
];

/** The decoder's transformer without its MLPs. */
export function decoderTransformer(outProjection: 'o_proj' | 'out_proj'): Renames {
  const attention = (path: string): Renames => [
    [`${path}.out_proj.*`, `${path}.${outProjection}.*`],
    ...['q_proj', 'k_proj', 'v_proj'].map((name) => [`${path}.${name}.*`, `${path}.${name}.*`] as const),
  ];
  const layers = ['self_attn', 'cross_attn_token_to_image', 'cross_attn_image_to_token'];
  return [
    ...layers.flatMap((name) => attention(`transformer.layers.*.${name}`)),
    ...[1, 2, 3, 4].map((n) => [`transformer.layers.*.norm${n}.*`, `transformer.layers.*.layer_norm${n}.*`] as const),
    ...attention('transformer.final_attn_token_to_image'),
    ['transformer.norm_final_attn.*', 'transformer.layer_norm_final_attn.*'],
  ];
}

/** The decoder's tokens, upscaling and heads. */
export const decoderHeads: Renames = [
  ['iou_token.weight', 'iou_token.weight'],
  ['mask_tokens.weight', 'mask_tokens.weight'],
  ['output_upscaling.0.*', 'upscale_conv1.*'],
  ['output_upscaling.1.*', 'upscale_layer_norm.*'],
  ['output_upscaling.3.*', 'upscale_conv2.*'],
  ...threeLayers('output_hypernetworks_mlps.*'),
  ...threeLayers('iou_prediction_head'),
];
