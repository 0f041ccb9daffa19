import { z } from 'zod';
import type { ActivationName } from '../../nn/index.js';
import { withDefault } from '../../util/index.js';
import { bounds } from '../common/index.js';
import { ConfigChecks } from '../sam-common/index.js';
import { mapSizeOf, type VitConfig, vitConfigSchema } from '../vit/index.js';

/**
 * Reduction of attention's inner width in the decoder's layers. The reference uses this in every layer, and
 * `attention_downsample_rate` only in the final attention.
 */
export const LAYER_DOWNSAMPLE_RATE = 2;

const act = z.enum(['gelu', 'relu']);

const promptFields = z.object({
  hidden_size: bounds.width.multipleOf(2).default(256),
  image_size: bounds.imageSide.default(1024),
  patch_size: bounds.patchSide.default(16),
  mask_input_channels: bounds.width.multipleOf(4).default(16),
  // Two kinds of points and two corners of boxes are looked up by index.
  num_point_embeddings: bounds.heads.min(4).default(4),
  hidden_act: act.default('gelu'),
  layer_norm_eps: z.number().positive().default(1e-6),
});

const decoderFields = z.object({
  hidden_size: bounds.width.min(8).default(256),
  hidden_act: act.default('relu'),
  mlp_dim: bounds.width.default(2048),
  num_hidden_layers: bounds.layers.default(2),
  num_attention_heads: bounds.heads.default(8),
  attention_downsample_rate: bounds.heads.default(2),
  num_multimask_outputs: bounds.heads.default(3),
  iou_head_depth: bounds.layers.min(2).default(3),
  iou_head_hidden_dim: bounds.width.default(256),
  layer_norm_eps: z.number().positive().default(1e-6),
});

const schema = z
  .object({
    vision_config: vitConfigSchema,
    prompt_encoder_config: withDefault(promptFields, promptFields.parse({})),
    mask_decoder_config: withDefault(decoderFields, decoderFields.parse({})),
  })
  .superRefine(({ vision_config: v, prompt_encoder_config: p, mask_decoder_config: d }, context) => {
    const checks = new ConfigChecks(context);
    checks.equal(['prompt_encoder_config', 'hidden_size'], p.hidden_size, v.outputChannels, 'as output_channels');
    checks.equal(['prompt_encoder_config', 'image_size'], p.image_size, v.imageSize, 'as in vision_config');
    checks.equal(['mask_decoder_config', 'hidden_size'], d.hidden_size, v.outputChannels, 'as output_channels');
    checks.equal(['vision_config', 'num_pos_feats'], v.numPosFeats, p.hidden_size / 2, 'half of hidden_size');
    const side = mapSizeOf({ imageSize: p.image_size, patchSize: p.patch_size });
    if (side !== mapSizeOf(v)) {
      const message = `expected a map of ${mapSizeOf(v)}, as the encoder gives, got one of ${side}`;
      checks.complain(['prompt_encoder_config', 'patch_size'], message);
    }
    checks.heads(d, [1, LAYER_DOWNSAMPLE_RATE, d.attention_downsample_rate]);
  });

/** Sizes of the prompt encoder. */
export interface SamPromptEncoderConfig {
  readonly hiddenSize: number;
  /** Side length of the square input image, in pixels. */
  readonly imageSize: number;
  readonly patchSize: number;
  readonly maskInputChannels: number;
  readonly numPointEmbeddings: number;
  readonly hiddenAct: ActivationName;
  readonly layerNormEps: number;
}

/** Sizes of the mask decoder. */
export interface SamMaskDecoderConfig {
  readonly hiddenSize: number;
  readonly hiddenAct: ActivationName;
  readonly mlpDim: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  readonly attentionDownsampleRate: number;
  readonly numMultimaskOutputs: number;
  readonly iouHeadDepth: number;
  readonly iouHeadHiddenDim: number;
  readonly layerNormEps: number;
}

/** Configuration of a SAM, with Hugging Face's fields. */
export interface SamConfig {
  readonly vision: VitConfig;
  readonly promptEncoder: SamPromptEncoderConfig;
  readonly maskDecoder: SamMaskDecoderConfig;
}

/**
 * Parses a `config.json` of model type `sam`; missing fields take the reference's defaults.
 *
 * @throws ZodError naming every field that is invalid or inconsistent with another.
 */
export function parseSamConfig(json: unknown): SamConfig {
  const { vision_config, prompt_encoder_config: p, mask_decoder_config: d } = schema.parse(json);
  return {
    vision: vision_config,
    promptEncoder: {
      hiddenSize: p.hidden_size,
      imageSize: p.image_size,
      patchSize: p.patch_size,
      maskInputChannels: p.mask_input_channels,
      numPointEmbeddings: p.num_point_embeddings,
      hiddenAct: p.hidden_act,
      layerNormEps: p.layer_norm_eps,
    },
    maskDecoder: {
      hiddenSize: d.hidden_size,
      hiddenAct: d.hidden_act,
      mlpDim: d.mlp_dim,
      numHiddenLayers: d.num_hidden_layers,
      numAttentionHeads: d.num_attention_heads,
      attentionDownsampleRate: d.attention_downsample_rate,
      numMultimaskOutputs: d.num_multimask_outputs,
      iouHeadDepth: d.iou_head_depth,
      iouHeadHiddenDim: d.iou_head_hidden_dim,
      layerNormEps: d.layer_norm_eps,
    },
  };
}
