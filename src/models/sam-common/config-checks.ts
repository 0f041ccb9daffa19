import type { z } from 'zod';

/** Complaints about fields of one part of a configuration that do not fit another part. */
export class ConfigChecks {
  private readonly context: z.RefinementCtx;

  constructor(context: z.RefinementCtx) {
    this.context = context;
  }

  complain(path: [part: string, field: string], message: string): void {
    this.context.addIssue({ code: 'custom', path, message });
  }

  /** @param as - what else says so. */
  equal(path: [part: string, field: string], got: unknown, expected: unknown, as: string): void {
    if (String(got) !== String(expected)) this.complain(path, `expected ${expected}, ${as}, got ${got}`);
  }

  /** The heads of the decoder's attentions, which are narrower than its features by any of the rates, divide every width. */
  heads(decoder: { hidden_size: number; num_attention_heads: number }, rates: readonly number[]): void {
    const widths = [...new Set(rates.map((rate) => Math.floor(decoder.hidden_size / rate)))];
    if (widths.every((width) => width > 0 && width % decoder.num_attention_heads === 0)) return;
    this.complain(
      ['mask_decoder_config', 'num_attention_heads'],
      `expected a divisor of the attentions' widths, ${widths.join(' and ')}, got ${decoder.num_attention_heads}`,
    );
  }
}
