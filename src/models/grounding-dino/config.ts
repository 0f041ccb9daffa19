import { z } from 'zod';
import { ConfigError, shown, shownName } from '../../util/index.js';
import { parseBertConfig } from '../bert/index.js';
import { bounds } from '../common/index.js';
import { type EfficientNetConfig, isTimmBackbone, parseEfficientNetConfig } from '../efficientnet/index.js';
import { parseSwinConfig, type SwinConfig } from '../swin/index.js';

/** The reference's default backbone. */
const defaultBackbone = { model_type: 'swin', out_indices: [2, 3, 4] };

const rate = z.number().min(0).max(1);

const schema = z.object({
  model_type: z.enum(['grounding-dino', 'mm-grounding-dino']).default('grounding-dino'),
  backbone_config: z.record(z.string(), z.unknown()).nullish(),
  /** transformers' older way of naming a backbone. */
  use_timm_backbone: z.boolean().nullish(),
  text_config: z.record(z.string(), z.unknown()).nullish(),
  num_queries: bounds.queries.default(900),
  encoder_layers: bounds.layers.default(6),
  encoder_ffn_dim: bounds.width.default(2048),
  encoder_attention_heads: bounds.heads.default(8),
  decoder_layers: bounds.layers.default(6),
  decoder_ffn_dim: bounds.width.default(2048),
  decoder_attention_heads: bounds.heads.default(8),
  activation_function: z.enum(['relu', 'gelu']).default('relu'),
  d_model: bounds.width.default(256),
  dropout: rate.default(0.1),
  attention_dropout: rate.default(0),
  activation_dropout: rate.default(0),
  auxiliary_loss: z.boolean().default(false),
  position_embedding_type: z.enum(['sine', 'learned']).default('sine'),
  num_feature_levels: bounds.layers.default(4),
  encoder_n_points: bounds.heads.default(4),
  decoder_n_points: bounds.heads.default(4),
  two_stage: z.boolean().default(true),
  class_cost: z.number().default(1),
  bbox_cost: z.number().default(5),
  giou_cost: z.number().default(2),
  bbox_loss_coefficient: z.number().default(5),
  giou_loss_coefficient: z.number().default(2),
  focal_alpha: z.number().default(0.25),
  max_text_len: bounds.textLength.default(256),
  /** Not upstream's: the text encoder reads each phrase as a sentence after [CLS], as frozen sentence encoders need it. */
  phrases_as_sentences: z.boolean().default(false),
  text_enhancer_dropout: rate.default(0),
  fusion_droppath: rate.default(0.1),
  fusion_dropout: rate.default(0),
  embedding_init_target: z.boolean().default(true),
  query_dim: bounds.width.default(4),
  decoder_bbox_embed_share: z.boolean().default(true),
  two_stage_bbox_embed_share: z.boolean().default(false),
  positional_embedding_temperature: z.number().positive().default(20),
  init_std: z.number().default(0.02),
  layer_norm_eps: z.number().positive().default(1e-5),
});

type Camel<S extends string> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S;
type Plain = Omit<z.infer<typeof schema>, 'model_type' | 'backbone_config' | 'use_timm_backbone' | 'text_config'>;
type CamelPlain = { readonly [K in keyof Plain as Camel<K & string>]: Plain[K] };

/** The image backbone: a Swin, or an EfficientNet-Lite of timm. */
export type BackboneConfig =
  | { readonly kind: 'swin'; readonly config: SwinConfig }
  | { readonly kind: 'efficientnet'; readonly config: EfficientNetConfig };

/** A Hugging Face `config.json` of Grounding DINO: upstream's fields in camelCase. */
export interface GroundingDinoConfig extends CamelPlain {
  /** Whether class logits are divided by the square root of their width and have a learned bias, as in MM Grounding DINO. */
  readonly scaledLogits: boolean;
  readonly backboneConfig: BackboneConfig;
  readonly textConfig: ReturnType<typeof parseBertConfig>;
}

/**
 * Parses a `config.json`; missing fields take the reference's defaults, unused fields are ignored.
 *
 * @throws ConfigError listing every invalid field.
 */
export function parseGroundingDinoConfig(json: unknown): GroundingDinoConfig {
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${shownName(issue.path.join('.'))}: ${issue.message}`);
    throw unusable(problems.join('; '));
  }
  const { model_type: type, backbone_config: backbone, use_timm_backbone: timm, text_config: text, ...fields } = parsed.data;
  if (timm === true && !backbone)
    throw unusable(
      'use_timm_backbone: it names no backbone; load and save the model with transformers 5, which writes backbone_config',
    );
  // MM Grounding DINO does not share heads: each layer has its own.
  const mm = type === 'mm-grounding-dino';
  const plain = mm ? { ...fields, decoder_bbox_embed_share: false, two_stage_bbox_embed_share: false } : fields;
  const problems = impossible(plain);
  if (problems.length > 0) throw unusable(problems.join('; '));
  const camel = Object.fromEntries(Object.entries(plain).map(([key, value]) => [camelCase(key), value]));
  const backboneConfig = parseBackboneConfig(backbone ?? defaultBackbone);
  const maps = mapsOf(backboneConfig);
  if (maps > plain.num_feature_levels)
    throw unusable(`num_feature_levels: ${plain.num_feature_levels}, but the backbone gives ${maps} maps`);
  return {
    ...(camel as unknown as CamelPlain),
    scaledLogits: mm,
    backboneConfig,
    textConfig: parseBertConfig(text ?? { model_type: 'bert' }),
  };
}

function parseBackboneConfig(json: Readonly<Record<string, unknown>>): BackboneConfig {
  if (isTimmBackbone(json)) return { kind: 'efficientnet', config: parseEfficientNetConfig(json) };
  const type = json['model_type'] ?? 'swin';
  if (type !== 'swin') throw unusable(`backbone_config.model_type: expected swin or timm_backbone, got ${shown(type)}`);
  return { kind: 'swin', config: parseSwinConfig(json) };
}

/** The number of maps that a backbone gives. */
function mapsOf(backbone: BackboneConfig): number {
  return backbone.kind === 'swin' ? backbone.config.outIndices.length : backbone.config.outputs.length;
}

function impossible(config: Plain): string[] {
  const problems: string[] = [];
  for (const [name, heads] of [
    ['encoder_attention_heads', config.encoder_attention_heads],
    ['decoder_attention_heads', config.decoder_attention_heads],
  ] as const) {
    if (config.d_model % heads !== 0) problems.push(`${name}: ${heads} does not divide d_model, ${config.d_model}`);
  }
  if (config.d_model % 32 !== 0)
    problems.push(`d_model: ${config.d_model} is not a multiple of 32, the groups of the input projection`);
  if (config.query_dim !== 4) problems.push(`query_dim: ${config.query_dim}; reference boxes have 4 numbers`);
  if (config.two_stage_bbox_embed_share && !config.decoder_bbox_embed_share)
    problems.push('two_stage_bbox_embed_share: needs decoder_bbox_embed_share');
  return problems;
}

function unusable(what: string): ConfigError {
  return new ConfigError({
    code: 'E_MODEL_CONFIG',
    where: 'config.json of a grounding-dino model',
    what,
    fix: 'Correct these fields',
  });
}

function camelCase(key: string): string {
  return key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
