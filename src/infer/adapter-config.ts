import { z } from 'zod';
import { CheckpointError } from '../util/index.js';

/** Numbers by regular expression. */
const patterns = <T extends z.ZodType<number>>(value: T) =>
  z.record(z.string(), value).refine((record) => Object.keys(record).every(isExpression), 'a key is not a regular expression');
const absent = z.union([z.literal(false), z.array(z.unknown()).max(0), z.object({}).strict()]).nullish();

/** What is read of PEFT's `adapter_config.json`; what it adds without effect on the arithmetic is let pass. */
const schema = z.object({
  peft_type: z.literal('LORA'),
  r: z.int().positive(),
  lora_alpha: z.number().positive(),
  lora_dropout: z.number().min(0).max(1).nullish(),
  target_modules: z.union([z.array(z.string()), z.string()]).nullish(),
  modules_to_save: z.array(z.string()).nullish(),
  rank_pattern: patterns(z.int().positive()).nullish(),
  alpha_pattern: patterns(z.number().positive()).nullish(),
  use_rslora: z.boolean().nullish(),
  // Forms of LoRA that compute something else.
  use_dora: z.literal(false).nullish(),
  use_qalora: z.literal(false).nullish(),
  bias: z.literal('none').nullish(),
  lora_bias: z.literal(false).nullish(),
  fan_in_fan_out: z.literal(false).nullish(),
  use_bdlora: absent,
  alora_invocation_tokens: absent,
  layer_replication: absent,
  target_parameters: absent,
  trainable_token_indices: absent,
  kasa_config: absent,
  monteclora_config: absent,
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

/** The rank that a configuration gives one layer. */
export function rankOf(config: AdapterConfig, path: string): number {
  return ownOf(config.rank_pattern, path) ?? config.r;
}

/** The alpha of one layer, such that the update is scaled by alpha / rank also where PEFT divides by the root of the rank. */
export function alphaOf(config: AdapterConfig, path: string, rank: number): number {
  const alpha = ownOf(config.alpha_pattern, path) ?? config.lora_alpha;
  return config.use_rslora ? alpha * Math.sqrt(rank) : alpha;
}

/** PEFT's keys are regular expressions for the end of a path. */
function ownOf(patterns: Record<string, number> | null | undefined, path: string): number | undefined {
  const hit = Object.entries(patterns ?? {}).find(([key]) => new RegExp(`^(?:.*\\.)?(?:${key})$`).test(path));
  return hit?.[1];
}

function isExpression(source: string): boolean {
  try {
    new RegExp(source);
    return true;
  } catch {
    return false;
  }
}
