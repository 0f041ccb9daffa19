import { z } from 'zod';
import type { ActivationName } from '../../nn/index.js';

const pair = z.tuple([z.int().positive(), z.int().positive()]);
const sizes = z.array(z.int().positive()).min(1);

const schema = z.object({
  hidden_size: z.int().positive().default(96),
  num_channels: z.int().positive().default(3),
  patch_kernel_size: pair.default([7, 7]),
  patch_stride: pair.default([4, 4]),
  patch_padding: z.tuple([z.int(), z.int()]).default([3, 3]),
  query_stride: pair.default([2, 2]),
  window_positional_embedding_background_size: pair.default([7, 7]),
  num_query_pool_stages: z.int().nonnegative().default(3),
  blocks_per_stage: sizes.default([1, 2, 7, 2]),
  embed_dim_per_stage: sizes.default([96, 192, 384, 768]),
  num_attention_heads_per_stage: sizes.default([1, 2, 4, 8]),
  window_size_per_stage: z.array(z.int().nonnegative()).default([8, 4, 14, 7]),
  global_attention_blocks: z.array(z.int().nonnegative()).default([5, 7, 9]),
  mlp_ratio: z.number().positive().default(4),
  hidden_act: z.enum(['gelu', 'relu']).default('gelu'),
  layer_norm_eps: z.number().positive().default(1e-6),
});

/** Sizes of a Hiera backbone; the fields are Hugging Face's. */
export interface HieraConfig {
  readonly hiddenSize: number;
  readonly numChannels: number;
  readonly patchKernelSize: readonly [number, number];
  readonly patchStride: readonly [number, number];
  readonly patchPadding: readonly [number, number];
  readonly queryStride: readonly [number, number];
  readonly windowPositionalEmbeddingBackgroundSize: readonly [number, number];
  readonly numQueryPoolStages: number;
  readonly blocksPerStage: readonly number[];
  readonly embedDimPerStage: readonly number[];
  readonly numAttentionHeadsPerStage: readonly number[];
  readonly windowSizePerStage: readonly number[];
  readonly globalAttentionBlocks: readonly number[];
  readonly mlpRatio: number;
  readonly hiddenAct: ActivationName;
  readonly layerNormEps: number;
}

/** Reads `backbone_config` of a SAM 2; missing fields take the reference's defaults. */
export function parseHieraConfig(json: unknown): HieraConfig {
  const c = schema.parse(json ?? {});
  return {
    hiddenSize: c.hidden_size,
    numChannels: c.num_channels,
    patchKernelSize: c.patch_kernel_size,
    patchStride: c.patch_stride,
    patchPadding: c.patch_padding,
    queryStride: c.query_stride,
    windowPositionalEmbeddingBackgroundSize: c.window_positional_embedding_background_size,
    numQueryPoolStages: c.num_query_pool_stages,
    blocksPerStage: c.blocks_per_stage,
    embedDimPerStage: c.embed_dim_per_stage,
    numAttentionHeadsPerStage: c.num_attention_heads_per_stage,
    windowSizePerStage: c.window_size_per_stage,
    globalAttentionBlocks: c.global_attention_blocks,
    mlpRatio: c.mlp_ratio,
    hiddenAct: c.hidden_act,
    layerNormEps: c.layer_norm_eps,
  };
}
