import { z } from 'zod';
import { bounds } from '../common/index.js';
import { parseSamConfig, type SamConfig } from '../sam/index.js';
import { mapSizeOf, type VitConfig } from '../vit/index.js';

/** Configuration of SAMUS's image encoder: a ViT whose patches overlap, and a branch of convolutions beside it. */
export interface SamusVisionConfig extends VitConfig {
  /** Side length of a patch, in pixels; `patchSize` is the step from one to the next. */
  readonly patchKernelSize: number;
  /** Channels of the branch's convolutions before the last one, each at half the resolution of the one before. */
  readonly cnnChannels: readonly number[];
  /** Channels between the two layers of a feature adapter. */
  readonly adapterDim: number;
  /** Side length of the stored position embeddings, which are reduced to the map of patches. */
  readonly posEmbedSize: number;
}

/** Configuration of a SAMUS. */
export interface SamusConfig extends SamConfig {
  readonly vision: SamusVisionConfig;
}

/** Published sizes that differ from SAM's defaults. */
const SIZES = { image_size: 256, patch_size: 8 };

/** Epsilon of the norms of the decoder's layers: torch's default, where transformers' SAM has 1e-6. */
const DECODER_EPS = { layer_norm_eps: 1e-5 };

const own = z.looseObject({
  hidden_size: bounds.width.default(768),
  patch_kernel_size: bounds.patchSide.default(16),
  cnn_channels: bounds.listOf(bounds.width).min(1).default([64, 128, 256]),
  adapter_dim: bounds.width.optional(),
  pos_embed_size: bounds.windowSide.default(64),
});

const schema = z.looseObject({
  vision_config: own.prefault({}),
  prompt_encoder_config: z.looseObject({}).default({}),
  mask_decoder_config: z.looseObject({}).default({}),
});

/**
 * Parses a `config.json` of model type `samus`: SAM's fields, and in `vision_config` `patch_kernel_size`, `cnn_channels`,
 * `adapter_dim` and `pos_embed_size`. Missing fields take the published sizes.
 *
 * @throws ZodError naming every field that is invalid or inconsistent with another.
 */
export function parseSamusConfig(json: unknown): SamusConfig {
  const whole = schema.parse(json);
  const { vision_config: vision, prompt_encoder_config: prompts, mask_decoder_config: decoder } = whole;
  const sam = parseSamConfig({
    ...whole,
    vision_config: { ...SIZES, ...vision },
    prompt_encoder_config: { ...SIZES, ...prompts },
    mask_decoder_config: { ...DECODER_EPS, ...decoder },
  });
  const config: SamusConfig = {
    ...sam,
    vision: {
      ...sam.vision,
      patchKernelSize: vision.patch_kernel_size,
      cnnChannels: vision.cnn_channels,
      adapterDim: vision.adapter_dim ?? Math.floor(sam.vision.hiddenSize / 4),
      posEmbedSize: vision.pos_embed_size,
    },
  };
  const issues = issuesOf(config.vision);
  if (issues.length > 0) throw new z.ZodError(issues);
  return config;
}

/** Fields that contradict each other. */
function issuesOf(vision: SamusVisionConfig): z.core.$ZodIssue[] {
  const { imageSize, patchSize, patchKernelSize, cnnChannels, posEmbedSize, numChannels, useAbsPos } = vision;
  const issues: z.core.$ZodIssue[] = [];
  const wrong = (field: string, expected: string, got: unknown) =>
    issues.push({
      code: 'custom',
      path: ['vision_config', field],
      message: `expected ${expected}, got ${got}`,
      input: undefined,
    });
  const steps = 2 ** cnnChannels.length;
  if (patchSize !== steps)
    wrong('patch_size', `${steps}, as cnn_channels halves the image ${cnnChannels.length} times`, patchSize);
  if (imageSize % patchSize !== 0) wrong('image_size', `a multiple of patch_size, ${patchSize}`, imageSize);
  if (patchKernelSize < patchSize || patchKernelSize > imageSize)
    wrong('patch_kernel_size', `from patch_size, ${patchSize}, to image_size`, patchKernelSize);
  const side = mapSizeOf(vision);
  if (!Number.isInteger(Math.log2(posEmbedSize / side)) || posEmbedSize < side)
    wrong('pos_embed_size', `${side} or a doubling of it, as the map has ${side}x${side} patches`, posEmbedSize);
  if (numChannels !== 3) wrong('num_channels', '3', numChannels);
  if (!useAbsPos) wrong('use_abs_pos', 'true', useAbsPos);
  return issues;
}
