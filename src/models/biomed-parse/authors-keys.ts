const ENCODER = 'sem_seg_head.pixel_decoder.transformer.encoder.layers.*.self_attn';
const SELF = 'sem_seg_head.predictor.transformer_self_attention_layers.*.self_attn';
const CROSS = 'sem_seg_head.predictor.transformer_cross_attention_layers.*.multihead_attn';
const TEXT = 'sem_seg_head.predictor.lang_encoder.lang_encoder.resblocks.*.attn';

/**
 * Conversion of the authors' `.pt` files. All names are theirs, but for the projections of attention, which torch keeps in one.
 *
 * @see microsoft/BiomedParse, `modeling/architectures/seem_model_demo.py`
 */
export const biomedParseAuthorsKeys = {
  name: "the authors' naming of BiomedParse",
  sign: 'sem_seg_head.predictor.transformer_cross_attention_layers.0.multihead_attn.in_proj_weight',
  renames: [],
  fused: [ENCODER, SELF, CROSS, TEXT].flatMap((attention) =>
    ['weight', 'bias'].map((kind) => ({
      theirs: `${attention}.in_proj_${kind}`,
      ours: ['query', 'key', 'value'].map((part) => `${attention}.${part}.${kind}`),
    })),
  ),
} as const;

/** Keys of the authors' files that nothing reads where a text is given, as path patterns. */
export const biomedParseUnusedKeys: readonly string[] = [
  // Prompts by strokes: whether a stroke is positive, its embedding for each level, and the memory of earlier ones.
  'sem_seg_head.predictor.pn_indicator.weight',
  'sem_seg_head.predictor.mask_sptial_embed.*',
  'sem_seg_head.predictor.{spatial_embed,spatial_featured}.weight',
  // A BiomedBERT that is loaded beside CLIP's encoder, for configurations that read it instead.
  'sem_seg_head.predictor.lang_encoder.biomed_encoder.**',
  // Growth of strokes between rounds, weights of the loss, and the normalisation of images.
  'dilation_kernel',
  'criterion.empty_weight',
  '{pixel_mean,pixel_std}',
];
