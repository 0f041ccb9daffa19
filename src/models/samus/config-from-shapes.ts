import { type CheckpointShapes, countOf, sizeReader, unclearShapes } from '../common/index.js';
import { headsFromShapes } from '../sam-common/index.js';

const VISION = 'vision_encoder';

const unclear = unclearShapes('SAMUS');

/**
 * Derives the `config.json` of published weights, which have none, from their shapes; the remaining fields are the defaults, which
 * equal the authors' settings. Their layers with global attention are those with adapters.
 *
 * @throws ConfigError naming the missing tensor.
 */
export function samusConfigFromShapes(shapes: CheckpointShapes): Record<string, unknown> {
  const size = sizeReader(shapes, unclear);
  const has = (key: string) => shapes.has(`${VISION}.${key}`);
  const hidden = size(`${VISION}.patch_embed.projection.weight`);
  const halvings = countOf(shapes, `${VISION}.cnn_embed.downs`);
  const positions = size(`${VISION}.pos_embed`, 1);
  const sizes = {
    image_size: (positions / 2 ** countOf(shapes, `${VISION}.post_pos_embed.downs`)) * 2 ** halvings,
    patch_size: 2 ** halvings,
  };
  const convolutions = [
    'inc.conv.0',
    ...Array.from({ length: Math.max(0, halvings - 1) }, (_, i) => `downs.${i}.maxpool_conv.1`),
  ];
  const layers = Array.from({ length: countOf(shapes, `${VISION}.layers`) }, (_, i) => i);
  const global = layers.filter((i) => has(`layers.${i}.Space_Adapter.q.weight`));
  const [windowed] = layers.filter((i) => !global.includes(i));
  const { prompts, decoder } = headsFromShapes(shapes, size);
  return {
    model_type: 'samus',
    vision_config: {
      ...sizes,
      hidden_size: hidden,
      output_channels: size(`${VISION}.neck.conv1.weight`),
      num_hidden_layers: layers.length,
      num_attention_heads: hidden / size(`${VISION}.layers.0.attn.rel_pos_h`, 1),
      num_channels: size(`${VISION}.patch_embed.projection.weight`, 1),
      patch_kernel_size: size(`${VISION}.patch_embed.projection.weight`, 2),
      cnn_channels: convolutions.map((path) => size(`${VISION}.cnn_embed.${path}.weight`)),
      adapter_dim: size(`${VISION}.input_Adapter.D_fc1.weight`),
      pos_embed_size: positions,
      qkv_bias: has('layers.0.attn.qkv.bias'),
      // A table of relative positions has one row per distance from -(size - 1) to size - 1.
      window_size: windowed === undefined ? 0 : (size(`${VISION}.layers.${windowed}.attn.rel_pos_h`) + 1) / 2,
      global_attn_indexes: global,
      num_pos_feats: size('shared_image_embedding.positional_embedding', 1),
      mlp_dim: size(`${VISION}.layers.0.mlp.lin1.weight`),
    },
    prompt_encoder_config: { ...prompts, ...sizes },
    mask_decoder_config: { ...decoder, mlp_dim: size('mask_decoder.transformer.layers.0.mlp.lin1.weight') },
  };
}
