import { type CheckpointShapes, countOf, sizeReader, unclearShapes } from '../common/index.js';
import { headsFromShapes } from '../sam-common/index.js';

const VISION = 'vision_encoder';

const unclear = unclearShapes('SAM');

/**
 * Derives the `config.json` of a published checkpoint that has none from its shapes; the remaining fields are the defaults, which
 * equal the authors' settings.
 *
 * @throws ConfigError naming the missing tensor, including the position embeddings that determine image and window sizes.
 */
export function samConfigFromShapes(shapes: CheckpointShapes): Record<string, unknown> {
  const size = sizeReader(shapes, unclear);
  const hidden = size(`${VISION}.patch_embed.projection.weight`);
  const patch = size(`${VISION}.patch_embed.projection.weight`, 2);
  const side = size(`${VISION}.pos_embed`, 1);
  const layers = Array.from({ length: countOf(shapes, `${VISION}.layers`) }, (_, i) => `${VISION}.layers.${i}`);
  // A table of relative positions has one row per distance from -(size - 1) to size - 1.
  const windows = layers.map((layer) => (size(`${layer}.attn.rel_pos_h`) + 1) / 2);
  const small = windows.filter((window) => window !== side);
  if (new Set(small).size > 1) throw unclear(`the layers have windows of different sizes, ${[...new Set(small)].join(' and ')}`);
  const { prompts, decoder } = headsFromShapes(shapes, size);
  const channels = size(`${VISION}.neck.conv1.weight`);
  return {
    model_type: 'sam',
    vision_config: {
      hidden_size: hidden,
      output_channels: channels,
      num_hidden_layers: layers.length,
      num_attention_heads: hidden / size(`${VISION}.layers.0.attn.rel_pos_h`, 1),
      num_channels: size(`${VISION}.patch_embed.projection.weight`, 1),
      image_size: side * patch,
      patch_size: patch,
      qkv_bias: shapes.has(`${VISION}.layers.0.attn.qkv.bias`),
      window_size: small[0] ?? 0,
      global_attn_indexes: windows.flatMap((window, i) => (window === side ? [i] : [])),
      num_pos_feats: size('shared_image_embedding.positional_embedding', 1),
      mlp_dim: size(`${VISION}.layers.0.mlp.lin1.weight`),
    },
    prompt_encoder_config: { ...prompts, image_size: side * patch, patch_size: patch },
    mask_decoder_config: { ...decoder, mlp_dim: size('mask_decoder.transformer.layers.0.mlp.lin1.weight') },
  };
}
