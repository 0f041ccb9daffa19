import { z } from 'zod';
import type { ActivationName } from '../../nn/index.js';
import { withDefault } from '../../util/index.js';
import { bounds } from '../common/index.js';

const { natural } = bounds;

const fields = z
  .object({
    hidden_size: bounds.width.default(768),
    output_channels: bounds.width.default(256),
    num_hidden_layers: bounds.layers.default(12),
    num_attention_heads: bounds.heads.default(12),
    num_channels: bounds.heads.default(3),
    image_size: bounds.imageSide.default(1024),
    patch_size: bounds.patchSide.default(16),
    hidden_act: z.enum(['gelu', 'relu']).default('gelu'),
    layer_norm_eps: z.number().positive().default(1e-6),
    qkv_bias: z.boolean().default(true),
    mlp_ratio: bounds.ratio.default(4),
    use_abs_pos: z.boolean().default(true),
    use_rel_pos: z.boolean().default(true),
    window_size: natural.default(14),
    global_attn_indexes: withDefault(bounds.listOf(natural), [2, 5, 8, 11]),
    num_pos_feats: bounds.width.default(128),
    mlp_dim: bounds.width.nullish(),
  })
  .superRefine((c, context) => {
    // Aborts validation: later checks, here and in the whole model's configuration, read the transformed fields.
    const wrong = (field: keyof typeof c, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message, continue: false });
    if (c.hidden_size % c.num_attention_heads !== 0)
      wrong('num_attention_heads', `expected a divisor of hidden_size, ${c.hidden_size}, got ${c.num_attention_heads}`);
    if (c.patch_size > c.image_size) wrong('patch_size', `expected at most image_size, ${c.image_size}, got ${c.patch_size}`);
  });

/** Configuration of SAM's image encoder, with Hugging Face's fields. */
export interface VitConfig {
  readonly hiddenSize: number;
  readonly outputChannels: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  readonly numChannels: number;
  /** Side length of the square input image, in pixels. */
  readonly imageSize: number;
  readonly patchSize: number;
  readonly hiddenAct: ActivationName;
  readonly layerNormEps: number;
  readonly qkvBias: boolean;
  readonly useAbsPos: boolean;
  readonly useRelPos: boolean;
  /** Side length of the windows, in patches; 0: global attention in every layer. */
  readonly windowSize: number;
  /** The layers with global attention. */
  readonly globalAttnIndexes: readonly number[];
  /** Number of directions of the position embedding that prompts and images share. */
  readonly numPosFeats: number;
  readonly mlpDim: number;
}

/** `vision_config` of a SAM; missing fields take the reference's defaults. */
export const vitConfigSchema = withDefault(fields, fields.parse({})).transform(
  (c): VitConfig => ({
    hiddenSize: c.hidden_size,
    outputChannels: c.output_channels,
    numHiddenLayers: c.num_hidden_layers,
    numAttentionHeads: c.num_attention_heads,
    numChannels: c.num_channels,
    imageSize: c.image_size,
    patchSize: c.patch_size,
    hiddenAct: c.hidden_act,
    layerNormEps: c.layer_norm_eps,
    qkvBias: c.qkv_bias,
    useAbsPos: c.use_abs_pos,
    useRelPos: c.use_rel_pos,
    windowSize: c.window_size,
    globalAttnIndexes: c.global_attn_indexes,
    numPosFeats: c.num_pos_feats,
    mlpDim: c.mlp_dim ?? Math.trunc(c.hidden_size * c.mlp_ratio),
  }),
);

/**
 * Parses `vision_config` of a SAM.
 *
 * @throws ZodError naming every invalid field.
 */
export function parseVitConfig(json: unknown): VitConfig {
  return vitConfigSchema.parse(json);
}

/** Side length of the map of patches. */
export function mapSizeOf({ imageSize, patchSize }: Pick<VitConfig, 'imageSize' | 'patchSize'>): number {
  return Math.floor(imageSize / patchSize);
}
