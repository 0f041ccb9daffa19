import { type CheckpointShapes, countOf, type SizeOf } from '../common/index.js';

/** Prompt encoder and mask decoder sizes derived from shapes; the same for SAM and SAM 2. Published models have 8 heads. */
export function headsFromShapes(shapes: CheckpointShapes, size: SizeOf): { prompts: object; decoder: object } {
  const hidden = size('prompt_encoder.no_mask_embed.weight', 1);
  const layers = 'mask_decoder.transformer.layers';
  const iou = 'mask_decoder.iou_prediction_head';
  return {
    prompts: {
      hidden_size: hidden,
      mask_input_channels: size('prompt_encoder.mask_embed.conv3.weight', 1),
    },
    decoder: {
      hidden_size: hidden,
      num_hidden_layers: countOf(shapes, layers),
      attention_downsample_rate: hidden / size('mask_decoder.transformer.final_attn_token_to_image.q_proj.weight'),
      num_multimask_outputs: size('mask_decoder.mask_tokens.weight') - 1,
      iou_head_depth: countOf(shapes, `${iou}.layers`) + 2,
      iou_head_hidden_dim: size(`${iou}.proj_in.weight`),
    },
  };
}
