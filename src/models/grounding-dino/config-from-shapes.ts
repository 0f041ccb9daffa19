import { type CheckpointShapes, countOf, type SizeOf, sizeReader, unclearShapes } from '../common/index.js';

const SWIN = 'model.backbone.conv_encoder.model';
const BERT = 'model.text_backbone';

/** Not derivable from shapes: the authors' models have 8 heads, and BERT 64 channels per head. */
const HEADS = 8;
const BERT_HEAD_WIDTH = 64;

const unclear = unclearShapes('Grounding DINO');

/**
 * Derives the `config.json` of a published checkpoint that has none from its shapes; the remaining fields are the defaults, which
 * equal the authors' settings.
 *
 * @throws ConfigError naming the tensor that is missing or has an unexpected shape.
 */
export function groundingDinoConfigFromShapes(shapes: CheckpointShapes): Record<string, unknown> {
  const size = sizeReader(shapes, unclear);
  const levels = size('model.level_embed');
  const points = (layer: string): number => {
    const key = `${layer}.attention_weights.bias`;
    const count = size(key) / (HEADS * levels);
    if (!Number.isInteger(count)) throw unclear(`${key} does not fit ${HEADS} heads and ${levels} levels`);
    return count;
  };
  const encoder = 'model.encoder.layers';
  const decoder = 'model.decoder.layers';
  return {
    model_type: 'grounding-dino',
    d_model: size('model.text_projection.weight'),
    num_queries: size('model.query_position_embeddings.weight'),
    num_feature_levels: levels,
    encoder_layers: countOf(shapes, encoder),
    decoder_layers: countOf(shapes, decoder),
    encoder_attention_heads: HEADS,
    decoder_attention_heads: HEADS,
    encoder_ffn_dim: size(`${encoder}.0.deformable_layer.fc1.weight`),
    decoder_ffn_dim: size(`${decoder}.0.fc1.weight`),
    encoder_n_points: points(`${encoder}.0.deformable_layer.self_attn`),
    decoder_n_points: points(`${decoder}.0.encoder_attn`),
    backbone_config: swinConfig(shapes, size),
    text_config: bertConfig(shapes, size),
  };
}

function swinConfig(shapes: CheckpointShapes, size: SizeOf): Record<string, unknown> {
  const stages = Array.from({ length: countOf(shapes, `${SWIN}.encoder.layers`) }, (_, i) => `${SWIN}.encoder.layers.${i}`);
  const table = (stage: string) => `${stage}.blocks.0.attention.self.relative_position_bias_table`;
  const projection = `${SWIN}.embeddings.patch_embeddings.projection.weight`;
  const [first = ''] = stages;
  const embedDim = size(projection);
  return {
    model_type: 'swin',
    embed_dim: embedDim,
    num_channels: size(projection, 1),
    patch_size: size(projection, 2),
    depths: stages.map((stage) => countOf(shapes, `${stage}.blocks`)),
    num_heads: stages.map((stage) => size(table(stage), 1)),
    window_size: (Math.sqrt(size(table(first))) + 1) / 2,
    mlp_ratio: size(`${first}.blocks.0.intermediate.dense.weight`) / embedDim,
    out_indices: stages.map((_, i) => i + 1).filter((i) => shapes.has(`${SWIN}.hidden_states_norms.stage${i}.weight`)),
  };
}

function bertConfig(shapes: CheckpointShapes, size: SizeOf): Record<string, unknown> {
  const hidden = size(`${BERT}.embeddings.word_embeddings.weight`, 1);
  return {
    model_type: 'bert',
    hidden_size: hidden,
    vocab_size: size(`${BERT}.embeddings.word_embeddings.weight`),
    type_vocab_size: size(`${BERT}.embeddings.token_type_embeddings.weight`),
    max_position_embeddings: size(`${BERT}.embeddings.position_embeddings.weight`),
    num_hidden_layers: countOf(shapes, `${BERT}.encoder.layer`),
    num_attention_heads: hidden / BERT_HEAD_WIDTH,
    intermediate_size: size(`${BERT}.encoder.layer.0.intermediate.dense.weight`),
  };
}
