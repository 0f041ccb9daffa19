import { z } from 'zod';
import type { ActivationName } from '../../nn/index.js';
import { withDefault } from '../../util/index.js';
import { bounds } from '../common/index.js';

const { natural } = bounds;

/** Rows and columns; a single number stands for both, as in torch. */
const both = (size: z.ZodType<number>, value: number) =>
  withDefault(z.union([size, z.tuple([size, size])]), value).transform((v): readonly [number, number] =>
    typeof v === 'number' ? [v, v] : v,
  );

const sizes = (size: z.ZodType<number>, value: number[]) => withDefault(bounds.listOf(size).min(1), value);

const fields = z
  .object({
    hidden_size: bounds.width.default(96),
    num_channels: bounds.heads.default(3),
    patch_kernel_size: both(bounds.patchSide, 7),
    patch_stride: both(bounds.patchSide, 4),
    patch_padding: both(natural, 3),
    query_stride: both(bounds.patchSide, 2),
    window_positional_embedding_background_size: withDefault(z.tuple([bounds.windowSide, bounds.windowSide]), [7, 7]),
    num_query_pool_stages: natural.default(3),
    blocks_per_stage: withDefault(bounds.blocks, [1, 2, 7, 2]),
    embed_dim_per_stage: sizes(bounds.width, [96, 192, 384, 768]),
    num_attention_heads_per_stage: sizes(bounds.heads, [1, 2, 4, 8]),
    window_size_per_stage: withDefault(bounds.listOf(natural).min(1), [8, 4, 14, 7]),
    global_attention_blocks: withDefault(bounds.listOf(z.int().nonnegative()), [5, 7, 9]),
    mlp_ratio: bounds.ratio.default(4),
    hidden_act: z.enum(['gelu', 'relu']).default('gelu'),
    layer_norm_eps: z.number().positive().default(1e-6),
  })
  .superRefine((c, context) => {
    // Aborts validation: later checks, here and in the whole model's configuration, read the transformed fields.
    const wrong = (field: keyof typeof c, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message, continue: false });
    const stages = c.blocks_per_stage.length;
    for (const field of ['embed_dim_per_stage', 'num_attention_heads_per_stage', 'window_size_per_stage'] as const) {
      if (c[field].length !== stages) wrong(field, `expected ${stages} numbers, as in blocks_per_stage, got ${c[field].length}`);
    }
    if (c.window_size_per_stage[0] === 0) wrong('window_size_per_stage', 'expected the first number to be positive, got 0');
    if (c.embed_dim_per_stage[0] !== c.hidden_size)
      wrong(
        'embed_dim_per_stage',
        `expected the first number to be hidden_size, ${c.hidden_size}, got ${c.embed_dim_per_stage[0]}`,
      );
    for (const [stage, dim] of c.embed_dim_per_stage.entries()) {
      const heads = c.num_attention_heads_per_stage[stage] ?? 1;
      if (dim % heads !== 0) wrong('embed_dim_per_stage', `expected multiples of the numbers of heads, got ${dim} for ${heads}`);
    }
  });

/** Configuration of a Hiera backbone, with Hugging Face's fields. */
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

/** `backbone_config` of a SAM 2; missing fields take the reference's defaults. */
export const hieraConfigSchema = withDefault(fields, fields.parse({})).transform(
  (c): HieraConfig => ({
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
  }),
);

/**
 * Parses `backbone_config` of a SAM 2.
 *
 * @throws ZodError naming every invalid field.
 */
export function parseHieraConfig(json: unknown): HieraConfig {
  return hieraConfigSchema.parse(json);
}
