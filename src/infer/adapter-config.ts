import { z } from 'zod';
import { CheckpointError } from '../util/index.js';

const numbers = z.record(z.string(), z.number().positive());

/** What is read of PEFT's `adapter_config.json`; what it adds without effect on the arithmetic is let pass. */
const schema = z.object({
  peft_type: z.literal('LORA'),
  r: z.int().positive(),
  lora_alpha: z.number().positive(),
  target_modules: z.union([z.array(z.string()), z.string()]).nullish(),
  modules_to_save: z.array(z.string()).nullish(),
  rank_pattern: numbers.nullish(),
  alpha_pattern: numbers.nullish(),
  use_rslora: z.boolean().nullish(),
  // Forms of LoRA that compute something else.
  use_dora: z.literal(false).nullish(),
  bias: z.literal('none').nullish(),
  lora_bias: z.literal(false).nullish(),
  fan_in_fan_out: z.literal(false).nullish(),
});

export type AdapterConfig = z.infer<typeof schema>;

/** @throws CheckpointError listing every field that this project cannot follow. */
export function parseAdapterConfig(json: unknown, file: string): AdapterConfig {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    ({ path, message }) => `${path.join('.') || 'file'}: ${message.replace(/^Invalid input: /, '')}`,
  );
  throw new CheckpointError({ where: file, what: problems.join('; '), fix: 'Only plain LoRA adapters of PEFT can be read' });
}

/** Rank-dependent scale of one layer, as alpha / rank. */
export function alphaOf(config: AdapterConfig, path: string, rank: number): number {
  const alpha = ownOf(config.alpha_pattern, path) ?? config.lora_alpha;
  return config.use_rslora ? alpha * Math.sqrt(rank) : alpha;
}

/** PEFT's keys are regular expressions for the end of a path. */
function ownOf(patterns: Record<string, number> | null | undefined, path: string): number | undefined {
  const hit = Object.entries(patterns ?? {}).find(([pattern]) => new RegExp(`^(?:.*\\.)?(?:${pattern})$`).test(path));
  return hit?.[1];
}
