import { z } from 'zod';
import type { ActivationName } from '../../nn/index.js';
import { withDefault } from '../../util/index.js';
import { bounds } from '../common/index.js';
import { type HieraConfig, hieraConfigSchema } from '../hiera/index.js';
import { ConfigChecks } from '../sam-common/index.js';

const act = z.enum(['gelu', 'relu']).default('gelu');

const visionFields = z.object({
  backbone_config: hieraConfigSchema,
  backbone_channel_list: withDefault(bounds.listOf(bounds.width).min(1), [768, 384, 192, 96]),
  fpn_hidden_size: bounds.width.default(256),
  fpn_kernel_size: bounds.patchSide.default(1),
  fpn_stride: bounds.patchSide.default(1),
  fpn_padding: bounds.natural.default(0),
  fpn_top_down_levels: withDefault(bounds.listOf(z.int()), [2, 3]),
  // The decoder takes exactly the image features and two finer maps.
  num_feature_levels: z.literal(3).default(3),
});

const promptFields = z.object({
  hidden_size: bounds.width.multipleOf(2).default(256),
  image_size: bounds.imageSide.default(1024),
  patch_size: bounds.patchSide.default(16),
  mask_input_channels: bounds.width.multipleOf(4).default(16),
  num_point_embeddings: bounds.heads.default(4),
  hidden_act: act,
  layer_norm_eps: z.number().positive().default(1e-6),
  scale: z.number().default(1),
});

const decoderFields = z.object({
  hidden_size: bounds.width.default(256),
  mlp_dim: bounds.width.default(2048),
  num_hidden_layers: bounds.layers.default(2),
  num_attention_heads: bounds.heads.default(8),
  attention_downsample_rate: bounds.heads.default(2),
  num_multimask_outputs: bounds.heads.default(3),
  iou_head_depth: bounds.layers.default(3),
  iou_head_hidden_dim: bounds.width.default(256),
  dynamic_multimask_via_stability: z.boolean().default(true),
  dynamic_multimask_stability_delta: z.number().default(0.05),
  dynamic_multimask_stability_thresh: z.number().default(0.98),
});

const schema = z
  .object({
    vision_config: withDefault(visionFields, visionFields.parse({})),
    prompt_encoder_config: withDefault(promptFields, promptFields.parse({})),
    mask_decoder_config: withDefault(decoderFields, decoderFields.parse({})),
  })
  .superRefine(({ vision_config: v, prompt_encoder_config: p, mask_decoder_config: d }, context) => {
    const checks = new ConfigChecks(context);
    const channels = v.backbone_config.embedDimPerStage.slice(0, v.backbone_channel_list.length).reverse();
    checks.equal(
      ['vision_config', 'backbone_channel_list'],
      v.backbone_channel_list,
      channels,
      'as in the backbone, coarsest first',
    );
    checks.equal(['prompt_encoder_config', 'hidden_size'], p.hidden_size, v.fpn_hidden_size, 'as fpn_hidden_size');
    checks.equal(['mask_decoder_config', 'hidden_size'], d.hidden_size, v.fpn_hidden_size, 'as fpn_hidden_size');
    checks.heads(d, [1, d.attention_downsample_rate]);
  });

/** Sizes of the feature pyramid on top of the backbone. */
export interface NeckConfig {
  readonly backboneChannelList: readonly number[];
  readonly fpnHiddenSize: number;
  readonly fpnKernelSize: number;
  readonly fpnStride: number;
  readonly fpnPadding: number;
  readonly fpnTopDownLevels: readonly number[];
  readonly numFeatureLevels: number;
}

/** Sizes of the prompt encoder. */
export interface PromptEncoderConfig {
  readonly hiddenSize: number;
  /** Side length of the square input image, in pixels. */
  readonly imageSize: number;
  readonly patchSize: number;
  readonly maskInputChannels: number;
  readonly numPointEmbeddings: number;
  readonly hiddenAct: ActivationName;
  readonly layerNormEps: number;
  readonly scale: number;
}

/** Sizes of the mask decoder. */
export interface MaskDecoderConfig {
  readonly hiddenSize: number;
  readonly mlpDim: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  readonly attentionDownsampleRate: number;
  readonly numMultimaskOutputs: number;
  readonly iouHeadDepth: number;
  readonly iouHeadHiddenDim: number;
  readonly dynamicMultimaskViaStability: boolean;
  readonly dynamicMultimaskStabilityDelta: number;
  readonly dynamicMultimaskStabilityThresh: number;
}

/** Configuration of a SAM 2, with Hugging Face's fields. */
export interface Sam2Config {
  readonly backbone: HieraConfig;
  readonly neck: NeckConfig;
  readonly promptEncoder: PromptEncoderConfig;
  readonly maskDecoder: MaskDecoderConfig;
}

/**
 * Parses a `config.json` of model type `sam2` or `sam2_video`; missing fields take the reference's defaults.
 *
 * @throws ZodError naming every field that is invalid or inconsistent with another.
 */
export function parseSam2Config(json: unknown): Sam2Config {
  const { vision_config: v, prompt_encoder_config: p, mask_decoder_config: d } = schema.parse(json);
  return {
    backbone: v.backbone_config,
    neck: {
      backboneChannelList: v.backbone_channel_list,
      fpnHiddenSize: v.fpn_hidden_size,
      fpnKernelSize: v.fpn_kernel_size,
      fpnStride: v.fpn_stride,
      fpnPadding: v.fpn_padding,
      fpnTopDownLevels: v.fpn_top_down_levels,
      numFeatureLevels: v.num_feature_levels,
    },
    promptEncoder: {
      hiddenSize: p.hidden_size,
      imageSize: p.image_size,
      patchSize: p.patch_size,
      maskInputChannels: p.mask_input_channels,
      numPointEmbeddings: p.num_point_embeddings,
      hiddenAct: p.hidden_act,
      layerNormEps: p.layer_norm_eps,
      scale: p.scale,
    },
    maskDecoder: {
      hiddenSize: d.hidden_size,
      mlpDim: d.mlp_dim,
      numHiddenLayers: d.num_hidden_layers,
      numAttentionHeads: d.num_attention_heads,
      attentionDownsampleRate: d.attention_downsample_rate,
      numMultimaskOutputs: d.num_multimask_outputs,
      iouHeadDepth: d.iou_head_depth,
      iouHeadHiddenDim: d.iou_head_hidden_dim,
      dynamicMultimaskViaStability: d.dynamic_multimask_via_stability,
      dynamicMultimaskStabilityDelta: d.dynamic_multimask_stability_delta,
      dynamicMultimaskStabilityThresh: d.dynamic_multimask_stability_thresh,
    },
  };
}
