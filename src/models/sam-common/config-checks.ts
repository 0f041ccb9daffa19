import type { z } from 'zod';

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
