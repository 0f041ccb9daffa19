import { z } from 'zod';
import type { ActivationName } from '../../nn/index.js';
import { type BertConfig, parseBertConfig } from '../bert/index.js';
import { bounds } from '../common/index.js';

const visionSchema = z
  .object({
    hidden_size: bounds.width.default(768),
    intermediate_size: bounds.width.default(3072),
    num_hidden_layers: bounds.layers.default(12),
    num_attention_heads: bounds.heads.default(12),
    num_channels: bounds.heads.default(3),
    image_size: bounds.imageSide.default(224),
    patch_size: bounds.patchSide.default(16),
    hidden_act: z.enum(['gelu', 'relu']).default('gelu'),
    layer_norm_eps: z.number().positive().default(1e-12),
  })
  .superRefine((c, context) => {
    const wrong = (field: keyof typeof c, message: string) => context.addIssue({ code: 'custom', path: [field], message });
    if (c.hidden_size % c.num_attention_heads !== 0)
      wrong('num_attention_heads', `expected a divisor of hidden_size, ${c.hidden_size}, got ${c.num_attention_heads}`);
    if (c.image_size % c.patch_size !== 0)
      wrong('image_size', `expected a multiple of patch_size, ${c.patch_size}, got ${c.image_size}`);
  });

const schema = z.object({
  vision_config: visionSchema,
  text_config: z.object({ model_type: z.literal('bert').default('bert') }).loose(),
  text_projection_config: z.object({ intermediate_size: bounds.width.default(640) }).loose(),
  projection_dim: bounds.width.default(512),
});

/** Configuration of the image encoder, a ViT with class token. */
export interface VisionConfig {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  readonly numChannels: number;
  /** Side length of the square input image, in pixels. */
  readonly imageSize: number;
  readonly patchSize: number;
  readonly hiddenAct: ActivationName;
  readonly layerNormEps: number;
}

/** Configuration of a BiomedCLIP, with the fields of its Hugging Face form. */
export interface BiomedClipConfig {
  readonly vision: VisionConfig;
  readonly text: BertConfig;
  /** Width of the hidden layer between a text's class token and its features. */
  readonly textProjectionSize: number;
  /** Width of the features that images and texts share. */
  readonly projectionDim: number;
}

/**
 * Parses the `config.json` of a BiomedCLIP, whose `model_type` is `clip`, as that of other CLIPs. Missing fields take the
 * published values.
 *
 * @throws ZodError or ConfigError naming every field that is missing, invalid or inconsistent with another. A CLIP without
 * `text_projection_config`, or whose text encoder is no BERT, is another model.
 */
export function parseBiomedClipConfig(json: unknown): BiomedClipConfig {
  const { vision_config: v, text_config, text_projection_config, projection_dim } = schema.parse(json);
  return {
    vision: {
      hiddenSize: v.hidden_size,
      intermediateSize: v.intermediate_size,
      numHiddenLayers: v.num_hidden_layers,
      numAttentionHeads: v.num_attention_heads,
      numChannels: v.num_channels,
      imageSize: v.image_size,
      patchSize: v.patch_size,
      hiddenAct: v.hidden_act,
      layerNormEps: v.layer_norm_eps,
    },
    text: parseBertConfig(text_config),
    textProjectionSize: text_projection_config.intermediate_size,
    projectionDim: projection_dim,
  };
}

/** Side length of the map of patches. */
export function patchesAcross({ imageSize, patchSize }: Pick<VisionConfig, 'imageSize' | 'patchSize'>): number {
  return imageSize / patchSize;
}
