import { type CheckpointShapes, countOf, sizeReader, unclearShapes } from '../common/index.js';

const unclear = unclearShapes('BiomedCLIP');

/** Channels of an attention head, in timm's ViTs as in BERT. */
const HEAD_WIDTH = 64;

/** The epsilon of the image encoder's norms: timm's, and that of its conversion to Hugging Face's form. */
const EPS = { openClip: 1e-6, huggingFace: 1e-12 } as const;

/**
 * Derives the `config.json` of weights that have none from their shapes, under open_clip's names. The numbers of heads cannot be
 * seen in them: heads have 64 channels, as in the published model.
 *
 * @throws ConfigError naming the missing tensor, or the size that is impossible.
 */
export function biomedClipConfigFromShapes(shapes: CheckpointShapes, form: keyof typeof EPS): Record<string, unknown> {
  const size = sizeReader(shapes, unclear);
  const [width, textWidth] = [size('visual.trunk.patch_embed.proj.weight'), size('text.transformer.embeddings.LayerNorm.weight')];
  const patch = size('visual.trunk.patch_embed.proj.weight', 3);
  const across = Math.sqrt(size('visual.trunk.pos_embed', 1) - 1);
  if (!Number.isInteger(across) || across === 0)
    throw unclear(`visual.trunk.pos_embed has ${across ** 2 + 1} positions, expected a class token and a square of patches`);
  return {
    model_type: 'clip',
    projection_dim: size('visual.head.proj.weight'),
    vision_config: {
      hidden_size: width,
      intermediate_size: size('visual.trunk.blocks.0.mlp.fc1.weight'),
      num_hidden_layers: countOf(shapes, 'visual.trunk.blocks'),
      num_attention_heads: headsOf(width),
      num_channels: size('visual.trunk.patch_embed.proj.weight', 1),
      image_size: across * patch,
      patch_size: patch,
      layer_norm_eps: EPS[form],
    },
    text_config: {
      model_type: 'bert',
      vocab_size: size('text.transformer.embeddings.word_embeddings.weight'),
      hidden_size: textWidth,
      intermediate_size: size('text.transformer.encoder.layer.0.intermediate.dense.weight'),
      num_hidden_layers: countOf(shapes, 'text.transformer.encoder.layer'),
      num_attention_heads: headsOf(textWidth),
      max_position_embeddings: size('text.transformer.embeddings.position_embeddings.weight'),
      type_vocab_size: size('text.transformer.embeddings.token_type_embeddings.weight'),
    },
    text_projection_config: { intermediate_size: size('text.proj.0.weight') },
  };
}

function headsOf(width: number): number {
  return Math.max(1, Math.floor(width / HEAD_WIDTH));
}
