import { type CheckpointShapes, countOf, sizeReader, unclearShapes } from '../common/index.js';
import { headsFromShapes } from '../sam-common/index.js';

const TRUNK = 'vision_encoder.backbone';
const NECK = 'vision_encoder.neck.convs';

/** Hiera pools queries and widens channels at the start of each stage after the first. */
const STAGES = 4;

/** Fields not derivable from shapes, for each published backbone, by the width of its first stage and its number of blocks. */
const PUBLISHED: Readonly<
  Record<string, { readonly heads: number; readonly windows: readonly number[]; readonly globals: readonly number[] }>
> = {
  '96, 12': { heads: 1, windows: [8, 4, 14, 7], globals: [5, 7, 9] }, // tiny
  '96, 16': { heads: 1, windows: [8, 4, 14, 7], globals: [7, 10, 13] }, // small
  '112, 24': { heads: 2, windows: [8, 4, 14, 7], globals: [12, 16, 20] }, // base plus
  '144, 48': { heads: 2, windows: [8, 4, 16, 8], globals: [23, 33, 43] }, // large
};

/** Image sizes of published files that were trained at another size than Meta's, by the beginning of their names: no shape shows it. */
const SIZES: readonly { readonly name: RegExp; readonly imageSize: number }[] = [{ name: /^MedSAM2_/, imageSize: 512 }];

const unclear = unclearShapes('SAM 2');

/**
 * Derives the `config.json` of a published checkpoint that has none: from its shapes, from known settings of the four published
 * backbones, from the name of a published file, and otherwise from the defaults, which equal Meta's settings.
 *
 * @param fileName - of the weights.
 * @throws ConfigError naming the tensor that is missing, or a backbone that is not a published one.
 */
export function sam2ConfigFromShapes(shapes: CheckpointShapes, fileName = ''): Record<string, unknown> {
  const imageSize = SIZES.find(({ name }) => name.test(fileName))?.imageSize;
  const size = sizeReader(shapes, unclear);
  const { dims, blocks } = stagesOf(shapes, size);
  const [width = 0] = dims;
  const depth = blocks.reduce((a, b) => a + b, 0);
  const known = PUBLISHED[`${width}, ${depth}`];
  if (known === undefined || dims.length !== STAGES)
    throw unclear(`a backbone of ${depth} blocks in ${dims.length} stages from width ${width} is none that was published`);
  const { prompts, decoder } = headsFromShapes(shapes, size);
  const hidden = size(`${NECK}.0.weight`);
  return {
    model_type: 'sam2',
    ...memoryFromShapes(shapes, size, hidden),
    vision_config: {
      backbone_config: {
        hidden_size: width,
        num_channels: size(`${TRUNK}.patch_embed.projection.weight`, 1),
        blocks_per_stage: blocks,
        embed_dim_per_stage: dims,
        num_attention_heads_per_stage: dims.map((_, stage) => known.heads * 2 ** stage),
        window_size_per_stage: known.windows,
        global_attention_blocks: known.globals,
        window_positional_embedding_background_size: [2, 3].map((axis) => size(`${TRUNK}.pos_embed`, axis)),
        mlp_ratio: size(`${TRUNK}.blocks.0.mlp.proj_in.weight`) / width,
      },
      backbone_channel_list: [...dims].reverse(),
      fpn_hidden_size: hidden,
    },
    prompt_encoder_config: { ...prompts, ...(imageSize !== undefined && { image_size: imageSize }) },
    mask_decoder_config: { ...decoder, mlp_dim: size('mask_decoder.transformer.layers.0.mlp.proj_in.weight') },
  };
}

/** The memory's fields, if the file has one. SAM 2.0 lacks two of its parts; what no shape shows is the same in both. */
function memoryFromShapes(shapes: CheckpointShapes, size: ReturnType<typeof sizeReader>, hidden: number): object {
  if (!shapes.has('memory_temporal_positional_encoding')) return {};
  const [attention, encoder] = ['memory_attention.layers', 'memory_encoder'];
  const fuser = `${encoder}.memory_fuser.layers`;
  const kernel = size(`${fuser}.0.depthwise_conv.weight`, 2);
  return {
    model_type: 'sam2_video',
    num_maskmem: size('memory_temporal_positional_encoding'),
    enable_occlusion_spatial_embedding: shapes.has('occlusion_spatial_embedding_parameter'),
    enable_temporal_pos_encoding_for_object_pointers: shapes.has('temporal_positional_encoding_projection_layer.weight'),
    memory_attention_hidden_size: hidden,
    memory_attention_num_layers: countOf(shapes, attention),
    memory_attention_downsample_rate: hidden / size(`${attention}.0.self_attn.q_proj.weight`),
    memory_attention_feed_forward_hidden_size: size(`${attention}.0.linear1.weight`),
    memory_encoder_hidden_size: hidden,
    memory_encoder_output_channels: size(`${encoder}.projection.weight`),
    mask_downsampler_embed_dim: hidden,
    memory_fuser_num_layers: countOf(shapes, fuser),
    memory_fuser_embed_dim: hidden,
    memory_fuser_intermediate_dim: size(`${fuser}.0.pointwise_conv1.weight`),
    memory_fuser_kernel_size: kernel,
    memory_fuser_padding: Math.floor(kernel / 2),
  };
}

/** A stage starts with a block that projects its shortcut. */
function stagesOf(shapes: CheckpointShapes, size: ReturnType<typeof sizeReader>): { dims: number[]; blocks: number[] } {
  const dims: number[] = [];
  const blocks: number[] = [];
  for (let i = 0; shapes.has(`${TRUNK}.blocks.${i}.attn.proj.weight`); i++) {
    if (i === 0 || shapes.has(`${TRUNK}.blocks.${i}.proj.weight`)) {
      dims.push(size(`${TRUNK}.blocks.${i}.attn.proj.weight`));
      blocks.push(0);
    }
    blocks.push((blocks.pop() ?? 0) + 1);
  }
  return { dims, blocks };
}
