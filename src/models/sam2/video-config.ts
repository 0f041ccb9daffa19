import { z } from 'zod';
import type { ActivationName } from '../../nn/index.js';
import { withDefault } from '../../util/index.js';
import { bounds } from '../common/index.js';
import { parseSam2Config, type Sam2Config } from './config.js';

/** The decoder's masks are four times the size of the image features, and memories are made of masks four times larger still. */
const MASK_STRIDE = 16;

const activation = z.enum(['gelu', 'relu']);
const rate = z.number().min(0).max(1);

const fields = z.object({
  image_size: bounds.imageSide.optional(),
  num_maskmem: bounds.layers.default(7),
  sigmoid_scale_for_mem_enc: z.number().default(20),
  sigmoid_bias_for_mem_enc: z.number().default(-10),
  enable_occlusion_spatial_embedding: z.boolean().default(true),
  multimask_output_in_sam: z.boolean().default(true),
  multimask_min_pt_num: bounds.natural.default(0),
  multimask_max_pt_num: bounds.natural.default(1),
  multimask_output_for_tracking: z.boolean().default(true),
  max_object_pointers_in_encoder: bounds.queries.min(2).default(16),
  // -1 stands for all.
  max_cond_frame_num: z.int().min(-1).max(4096).default(-1),
  enable_temporal_pos_encoding_for_object_pointers: z.boolean().default(true),
  memory_attention_hidden_size: bounds.width.default(256),
  memory_attention_num_layers: bounds.layers.default(4),
  memory_attention_num_attention_heads: bounds.heads.default(1),
  memory_attention_downsample_rate: bounds.heads.default(1),
  memory_attention_feed_forward_hidden_size: bounds.width.default(2048),
  memory_attention_feed_forward_hidden_act: activation.default('relu'),
  memory_attention_dropout: rate.default(0.1),
  memory_attention_rope_theta: z.number().positive().max(1e9).optional(),
  rope_parameters: z.object({ rope_theta: z.number().positive().max(1e9).optional() }).nullish(),
  memory_encoder_hidden_size: bounds.width.default(256),
  memory_encoder_output_channels: bounds.width.multipleOf(4).default(64),
  mask_downsampler_embed_dim: bounds.width.default(256),
  mask_downsampler_kernel_size: bounds.patchSide.default(3),
  mask_downsampler_stride: z.int().min(2).max(MASK_STRIDE).default(2),
  mask_downsampler_padding: bounds.natural.default(1),
  mask_downsampler_total_stride: z.literal(MASK_STRIDE).default(MASK_STRIDE),
  mask_downsampler_hidden_act: activation.default('gelu'),
  memory_fuser_num_layers: bounds.layers.default(2),
  memory_fuser_embed_dim: bounds.width.default(256),
  memory_fuser_intermediate_dim: bounds.width.default(1024),
  memory_fuser_kernel_size: bounds.patchSide.default(7),
  memory_fuser_padding: bounds.natural.default(3),
  memory_fuser_layer_scale_init_value: z.number().default(1e-6),
  memory_fuser_hidden_act: activation.default('gelu'),
  vision_config: withDefault(z.object({ fpn_hidden_size: bounds.width.default(256) }), { fpn_hidden_size: 256 }),
  prompt_encoder_config: withDefault(
    z.object({ image_size: bounds.imageSide.default(1024), patch_size: bounds.patchSide.default(16) }),
    { image_size: 1024, patch_size: 16 },
  ),
});

/** Widths that must be that of the image features. */
const SAME_WIDTH = [
  'memory_attention_hidden_size',
  'memory_encoder_hidden_size',
  'mask_downsampler_embed_dim',
  'memory_fuser_embed_dim',
] as const;

const schema = fields.superRefine((c, context) => {
  const complain = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
  const { fpn_hidden_size: width } = c.vision_config;
  const { image_size: side, patch_size: patch } = c.prompt_encoder_config;
  for (const name of SAME_WIDTH) if (c[name] !== width) complain(name, `expected ${width}, as fpn_hidden_size, got ${c[name]}`);
  if (c.image_size !== undefined && c.image_size !== side)
    complain('image_size', `expected ${side}, as in prompt_encoder_config, got ${c.image_size}`);
  if (patch !== MASK_STRIDE || side % patch !== 0)
    complain('prompt_encoder_config', `expected patches of ${MASK_STRIDE} pixels that divide the image, got ${patch} of ${side}`);
  if (width % c.memory_encoder_output_channels !== 0)
    complain('memory_encoder_output_channels', `expected a divisor of ${width}, got ${c.memory_encoder_output_channels}`);
  if (Number.isInteger(Math.log(MASK_STRIDE) / Math.log(c.mask_downsampler_stride)) === false)
    complain('mask_downsampler_stride', `expected 2, 4 or 16, got ${c.mask_downsampler_stride}`);
  const shrinks = c.mask_downsampler_kernel_size - 2 * c.mask_downsampler_padding;
  if (shrinks < 1 || shrinks > c.mask_downsampler_stride)
    complain('mask_downsampler_padding', 'expected one that gives maps smaller by exactly the stride');
  if (c.memory_fuser_kernel_size !== 2 * c.memory_fuser_padding + 1)
    complain('memory_fuser_padding', `expected half of a kernel of ${c.memory_fuser_kernel_size}, got ${c.memory_fuser_padding}`);
  const depth = width / c.memory_attention_downsample_rate / c.memory_attention_num_attention_heads;
  if (depth % 4 !== 0)
    complain('memory_attention_num_attention_heads', `expected heads whose width is a multiple of 4, got ${depth}`);
});

/** Sizes of the memory of a SAM 2 over the frames of a clip, with Hugging Face's fields. */
export interface MemoryConfig {
  /** Frames of which memories are attended to: one or more that were prompted, and up to this less one before the current. */
  readonly numMaskmem: number;
  readonly sigmoidScaleForMemEnc: number;
  readonly sigmoidBiasForMemEnc: number;
  /** Whether memories of frames without the object are marked as such: SAM 2.1. */
  readonly enableOcclusionSpatialEmbedding: boolean;
  readonly multimaskOutputInSam: boolean;
  readonly multimaskMinPtNum: number;
  readonly multimaskMaxPtNum: number;
  readonly multimaskOutputForTracking: boolean;
  readonly maxObjectPointersInEncoder: number;
  /** Most prompted frames that are attended to; undefined: all. */
  readonly maxCondFrameNum: number | undefined;
  /** Whether object pointers say how long ago they were made: SAM 2.1. */
  readonly enableTemporalPosEncodingForObjectPointers: boolean;
  readonly attention: MemoryAttentionConfig;
  readonly encoder: MemoryEncoderConfig;
}

/** When several masks are predicted. */
export type MultimaskConfig = Pick<
  MemoryConfig,
  'multimaskOutputInSam' | 'multimaskMinPtNum' | 'multimaskMaxPtNum' | 'multimaskOutputForTracking'
>;

/**
 * Whether the model predicts several masks, of which the best is chosen.
 *
 * @param points - of the prompt, where a box has two; 0 without one.
 * @param tracked - whether the object is known from other frames.
 */
export function predictsSeveral(memory: MultimaskConfig, points: number, tracked: boolean): boolean {
  const few = memory.multimaskMinPtNum <= points && points <= memory.multimaskMaxPtNum;
  return memory.multimaskOutputInSam && few && (!tracked || memory.multimaskOutputForTracking);
}

/**
 * The row of the model's times for a memory.
 *
 * @param age - how many frames ago it was; 0 for a prompted frame, whenever that was: the last row.
 */
export function timeRow(age: number, numMaskmem: number): number {
  return (age + numMaskmem - 1) % numMaskmem;
}

/** Sizes of the attention of an image to its memories. */
export interface MemoryAttentionConfig {
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly numAttentionHeads: number;
  readonly downsampleRate: number;
  readonly feedForwardHiddenSize: number;
  readonly feedForwardHiddenAct: ActivationName;
  readonly dropout: number;
  readonly ropeTheta: number;
  /** Channels of memories. */
  readonly memoryChannels: number;
}

/** Sizes of what makes memories of masks and images. */
export interface MemoryEncoderConfig {
  readonly hiddenSize: number;
  readonly outputChannels: number;
  readonly downsamplerKernelSize: number;
  readonly downsamplerStride: number;
  readonly downsamplerPadding: number;
  readonly downsamplerHiddenAct: ActivationName;
  readonly downsamplerLayers: number;
  readonly fuserNumLayers: number;
  readonly fuserIntermediateDim: number;
  readonly fuserKernelSize: number;
  readonly fuserPadding: number;
  readonly fuserLayerScaleInitValue: number;
  readonly fuserHiddenAct: ActivationName;
}

/** Configuration of a SAM 2 with its memory. */
export interface Sam2VideoConfig extends Sam2Config {
  readonly memory: MemoryConfig;
}

/**
 * Parses a `config.json` of model type `sam2_video`, or of an image model with the memory's fields added; missing fields take the
 * reference's defaults. `memory_attention_rope_feat_sizes` is not read: positions are those of the map at hand, as in Meta's code.
 *
 * @throws ZodError naming every field that is invalid or inconsistent with another.
 */
export function parseSam2VideoConfig(json: unknown): Sam2VideoConfig {
  const image = parseSam2Config(json);
  const c = schema.parse(json);
  return {
    ...image,
    memory: {
      numMaskmem: c.num_maskmem,
      sigmoidScaleForMemEnc: c.sigmoid_scale_for_mem_enc,
      sigmoidBiasForMemEnc: c.sigmoid_bias_for_mem_enc,
      enableOcclusionSpatialEmbedding: c.enable_occlusion_spatial_embedding,
      multimaskOutputInSam: c.multimask_output_in_sam,
      multimaskMinPtNum: c.multimask_min_pt_num,
      multimaskMaxPtNum: c.multimask_max_pt_num,
      multimaskOutputForTracking: c.multimask_output_for_tracking,
      maxObjectPointersInEncoder: c.max_object_pointers_in_encoder,
      maxCondFrameNum: c.max_cond_frame_num === -1 ? undefined : c.max_cond_frame_num,
      enableTemporalPosEncodingForObjectPointers: c.enable_temporal_pos_encoding_for_object_pointers,
      attention: {
        hiddenSize: c.memory_attention_hidden_size,
        numLayers: c.memory_attention_num_layers,
        numAttentionHeads: c.memory_attention_num_attention_heads,
        downsampleRate: c.memory_attention_downsample_rate,
        feedForwardHiddenSize: c.memory_attention_feed_forward_hidden_size,
        feedForwardHiddenAct: c.memory_attention_feed_forward_hidden_act,
        dropout: c.memory_attention_dropout,
        ropeTheta: c.rope_parameters?.rope_theta ?? c.memory_attention_rope_theta ?? 10_000,
        memoryChannels: c.memory_encoder_output_channels,
      },
      encoder: {
        hiddenSize: c.memory_encoder_hidden_size,
        outputChannels: c.memory_encoder_output_channels,
        downsamplerKernelSize: c.mask_downsampler_kernel_size,
        downsamplerStride: c.mask_downsampler_stride,
        downsamplerPadding: c.mask_downsampler_padding,
        downsamplerHiddenAct: c.mask_downsampler_hidden_act,
        downsamplerLayers: Math.round(Math.log(MASK_STRIDE) / Math.log(c.mask_downsampler_stride)),
        fuserNumLayers: c.memory_fuser_num_layers,
        fuserIntermediateDim: c.memory_fuser_intermediate_dim,
        fuserKernelSize: c.memory_fuser_kernel_size,
        fuserPadding: c.memory_fuser_padding,
        fuserLayerScaleInitValue: c.memory_fuser_layer_scale_init_value,
        fuserHiddenAct: c.memory_fuser_hidden_act,
      },
    },
  };
}
