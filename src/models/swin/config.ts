import { z } from 'zod';
import type { ActivationName } from '../../nn/index.js';
import { ConfigError, shown } from '../../util/index.js';
import { bounds } from '../common/index.js';

/** Hugging Face's `SwinConfig` in camelCase, limited to the backbone's fields. */
export interface SwinConfig {
  /** [height, width] in px that absolute position embeddings were learned for; other input sizes are allowed. */
  readonly imageSize: readonly [number, number];
  readonly patchSize: number;
  readonly numChannels: number;
  /** Channels of the first stage; each further stage doubles them. */
  readonly embedDim: number;
  /** Number of blocks in each stage. */
  readonly depths: readonly number[];
  /** Attention heads in each stage. */
  readonly numHeads: readonly number[];
  readonly windowSize: number;
  readonly mlpRatio: number;
  readonly qkvBias: boolean;
  readonly hiddenDropoutProb: number;
  readonly attentionProbsDropoutProb: number;
  /** Probability of skipping the attention of the last block; rises linearly from 0 at the first. */
  readonly dropPathRate: number;
  readonly hiddenAct: ActivationName;
  readonly useAbsoluteEmbeddings: boolean;
  /** Standard deviation of initial weights. */
  readonly initializerRange: number;
  readonly layerNormEps: number;
  /** The output maps, in order: 0 is the patch embedding (`stem`), i the i-th stage before its downsampling. */
  readonly outIndices: readonly number[];
}

const probability = z.number().min(0).lt(1);
const side = <T extends z.ZodType<number>>(one: T) => z.union([one, z.tuple([one, one])]);

const schema = z.object({
  image_size: side(bounds.imageSide).default(224),
  patch_size: side(bounds.patchSide).default(4),
  num_channels: bounds.heads.default(3),
  embed_dim: bounds.width.default(96),
  depths: bounds.blocks.default([2, 2, 6, 2]),
  num_heads: bounds.listOf(bounds.heads).min(1).default([3, 6, 12, 24]),
  window_size: bounds.windowSide.default(7),
  mlp_ratio: bounds.ratio.default(4),
  qkv_bias: z.boolean().default(true),
  hidden_dropout_prob: probability.default(0),
  attention_probs_dropout_prob: probability.default(0),
  drop_path_rate: probability.default(0.1),
  hidden_act: z.enum(['gelu', 'relu']).default('gelu'),
  use_absolute_embeddings: z.boolean().default(false),
  initializer_range: z.number().nonnegative().default(0.02),
  layer_norm_eps: z.number().positive().default(1e-5),
  out_features: bounds.listOf(z.string().max(100)).nullish(),
  out_indices: bounds.listOf(z.number().int()).nullish(),
});

type SwinJson = z.infer<typeof schema>;

/**
 * Parses the `backbone_config` of a Hugging Face `config.json`. Missing fields take the reference's defaults; fields that a
 * backbone does not use are ignored.
 *
 * @throws ConfigError listing every problem.
 */
export function parseSwinConfig(json: unknown): SwinConfig {
  const parsed = schema.safeParse(json, { reportInput: true });
  if (!parsed.success) throw swinError(parsed.error.issues.map(problem));
  const fields = parsed.data;
  const problems = contradictions(fields);
  if (problems.length > 0) throw swinError(problems);
  const [patchSize] = pair(fields.patch_size);
  return {
    imageSize: pair(fields.image_size),
    patchSize,
    numChannels: fields.num_channels,
    embedDim: fields.embed_dim,
    depths: fields.depths,
    numHeads: fields.num_heads,
    windowSize: fields.window_size,
    mlpRatio: fields.mlp_ratio,
    qkvBias: fields.qkv_bias,
    hiddenDropoutProb: fields.hidden_dropout_prob,
    attentionProbsDropoutProb: fields.attention_probs_dropout_prob,
    dropPathRate: fields.drop_path_rate,
    hiddenAct: fields.hidden_act,
    useAbsoluteEmbeddings: fields.use_absolute_embeddings,
    initializerRange: fields.initializer_range,
    layerNormEps: fields.layer_norm_eps,
    outIndices: outIndicesOf(fields),
  };
}

function contradictions(fields: SwinJson): string[] {
  const problems: string[] = [];
  const { depths, num_heads: numHeads, embed_dim: embedDim } = fields;
  if (depths.length !== numHeads.length)
    problems.push(`num_heads: expected one entry for each of the ${depths.length} stages of depths, got ${numHeads.length}`);
  for (const [i, heads] of numHeads.entries()) {
    const channels = embedDim * 2 ** i;
    if (channels % heads !== 0)
      problems.push(`num_heads.${i}: expected a divisor of the stage's ${channels} channels, got ${heads}`);
  }
  const [patchHeight, patchWidth] = pair(fields.patch_size);
  if (patchHeight !== patchWidth) problems.push(`patch_size: expected a square, got [${patchHeight}, ${patchWidth}]`);
  return [...problems, ...outputProblems(fields)];
}

function outputProblems(fields: SwinJson): string[] {
  const names = stageNames(fields.depths.length);
  const unknown = (fields.out_features ?? []).filter((name) => !names.includes(name));
  if (unknown.length > 0) return [`out_features: expected some of ${names.join(', ')}, got ${unknown.join(', ')}`];
  const indices = outIndicesOf(fields);
  const ascending = indices.length > 0 && indices.every((index, i) => index > (indices[i - 1] ?? -1) && index < names.length);
  if (!ascending) return [`out_indices: expected ascending numbers from 0 to ${names.length - 1}, got [${indices.join(', ')}]`];
  const named = fields.out_features?.map((name) => names.indexOf(name));
  if (named !== undefined && named.join() !== indices.join())
    return [`out_indices: expected the stages of out_features (${named.join(', ')}), got ${indices.join(', ')}`];
  return [];
}

/** Defaults to the last stage. */
function outIndicesOf({ depths, out_features: features, out_indices: indices }: SwinJson): number[] {
  const names = stageNames(depths.length);
  if (indices) return indices.map((index) => (index < 0 ? index + names.length : index));
  return features ? features.map((name) => names.indexOf(name)) : [depths.length];
}

/** `stem`, `stage1`, `stage2`, …: the names of the maps in checkpoints. */
function stageNames(stages: number): string[] {
  return Array.from({ length: stages + 1 }, (_, i) => stageName(i));
}

/** The name of a map in checkpoints. */
export function stageName(index: number): string {
  return index === 0 ? 'stem' : `stage${index}`;
}

function pair(value: number | readonly [number, number]): readonly [number, number] {
  return typeof value === 'number' ? [value, value] : value;
}

function swinError(problems: readonly string[]): ConfigError {
  return new ConfigError({ code: 'E_MODEL_CONFIG', where: 'Swin config', what: problems.join('; ') });
}

function problem({ path, message, input }: z.core.$ZodIssue): string {
  return `${path.join('.') || 'all of it'}: ${message}, got ${shown(input)}`;
}
