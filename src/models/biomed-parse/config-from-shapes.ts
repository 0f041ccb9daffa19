import { type CheckpointShapes, countOf, sizeReader, unclearShapes } from '../common/index.js';

const HEAD = 'sem_seg_head.predictor';
const TEXT = `${HEAD}.lang_encoder.lang_encoder`;

const unclear = unclearShapes('BiomedParse');

/**
 * Derives the `config.json` of published weights, which have none, from their shapes; the remaining fields, heads and groups among
 * them, are the defaults, which equal the authors' settings.
 *
 * @throws ConfigError naming the missing tensor.
 */
export function biomedParseConfigFromShapes(shapes: CheckpointShapes): Record<string, unknown> {
  const size = sizeReader(shapes, unclear);
  const stages = Array.from({ length: countOf(shapes, 'backbone.layers') }, (_, i) => `backbone.layers.${i}.blocks`);
  const layers = (stage: string) => `${stage}.0.modulation.focal_layers`;
  const embedDim = size('backbone.patch_embed.proj.weight');
  return {
    model_type: 'biomedparse',
    backbone_config: {
      embed_dim: embedDim,
      depths: stages.map((stage) => countOf(shapes, stage)),
      focal_levels: stages.map((stage) => countOf(shapes, layers(stage))),
      focal_windows: stages.map((stage) => size(`${layers(stage)}.0.0.weight`, 2)),
      mlp_ratio: size('backbone.layers.0.blocks.0.mlp.fc1.weight') / embedDim,
    },
    text_config: {
      vocab_size: size(`${TEXT}.token_embedding.weight`),
      hidden_size: size(`${TEXT}.token_embedding.weight`, 1),
      num_hidden_layers: countOf(shapes, `${TEXT}.resblocks`),
      max_position_embeddings: size(`${TEXT}.positional_embedding`),
    },
    hidden_size: size(`${HEAD}.query_feat.weight`, 1),
    mask_size: size('sem_seg_head.pixel_decoder.mask_features.weight'),
    intermediate_size: size(`${HEAD}.transformer_ffn_layers.0.linear1.weight`),
    encoder_layers: countOf(shapes, 'sem_seg_head.pixel_decoder.transformer.encoder.layers'),
    decoder_layers: countOf(shapes, `${HEAD}.transformer_ffn_layers`),
    num_queries: size(`${HEAD}.query_feat.weight`),
  };
}
