import type { z } from 'zod';
import { type CheckpointShapes, countOf, type SizeOf } from '../common/index.js';

/** Collects mismatches between the parts of a configuration. */
export class ConfigChecks {
  private readonly context: z.RefinementCtx;

  constructor(context: z.RefinementCtx) {
    this.context = context;
  }

  complain(path: [part: string, field: string], message: string): void {
    this.context.addIssue({ code: 'custom', path, message });
  }

  /** @param as - source of the expected value. */
  equal(path: [part: string, field: string], got: unknown, expected: unknown, as: string): void {
    if (String(got) !== String(expected)) this.complain(path, `expected ${expected}, ${as}, got ${got}`);
  }

  /** The heads of the decoder's attention layers must divide every width, reduced by any of the downsample rates. */
  heads(decoder: { hidden_size: number; num_attention_heads: number }, rates: readonly number[]): void {
    const widths = [...new Set(rates.map((rate) => Math.floor(decoder.hidden_size / rate)))];
    if (widths.every((width) => width > 0 && width % decoder.num_attention_heads === 0)) return;
    this.complain(
      ['mask_decoder_config', 'num_attention_heads'],
      `expected a divisor of the attentions' widths, ${widths.join(' and ')}, got ${decoder.num_attention_heads}`,
    );
  }
}

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
