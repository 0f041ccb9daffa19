import { z } from 'zod';
import type { ActivationName } from '../../nn/index.js';
import { ConfigError, shown } from '../../util/index.js';
import { bounds } from '../common/index.js';

/** Hugging Face's `BertConfig` in camelCase, limited to the encoder's fields. */
export interface BertConfig {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  readonly intermediateSize: number;
  readonly hiddenAct: ActivationName;
  readonly hiddenDropoutProb: number;
  readonly attentionProbsDropoutProb: number;
  readonly maxPositionEmbeddings: number;
  readonly typeVocabSize: number;
  /** Standard deviation of initial weights. */
  readonly initializerRange: number;
  readonly layerNormEps: number;
  /** The token whose embedding is not trained; null: none. */
  readonly padTokenId: number | null;
}

const probability = z.number().min(0).lt(1);

const schema = z.object({
  vocab_size: bounds.vocabulary.default(30522),
  hidden_size: bounds.width.default(768),
  num_hidden_layers: bounds.layers.default(12),
  num_attention_heads: bounds.heads.default(12),
  intermediate_size: bounds.width.default(3072),
  hidden_act: z.enum(['gelu', 'relu']).default('gelu'),
  hidden_dropout_prob: probability.default(0.1),
  attention_probs_dropout_prob: probability.default(0.1),
  max_position_embeddings: bounds.textLength.default(512),
  type_vocab_size: bounds.heads.default(2),
  initializer_range: z.number().nonnegative().default(0.02),
  layer_norm_eps: z.number().positive().default(1e-12),
  pad_token_id: z.number().int().nullable().default(0),
});

/**
 * Parses the `text_config` of a Hugging Face `config.json`. Missing fields take the reference's defaults; fields that an encoder
 * does not use are ignored.
 *
 * @throws ConfigError listing every problem.
 */
export function parseBertConfig(json: unknown): BertConfig {
  const parsed = schema.safeParse(json, { reportInput: true });
  if (!parsed.success) throw bertError(parsed.error.issues.map(problem));
  const fields = parsed.data;
  if (fields.hidden_size % fields.num_attention_heads !== 0) {
    throw bertError([
      `num_attention_heads: expected a divisor of hidden_size ${fields.hidden_size}, got ${fields.num_attention_heads}`,
    ]);
  }
  return {
    vocabSize: fields.vocab_size,
    hiddenSize: fields.hidden_size,
    numHiddenLayers: fields.num_hidden_layers,
    numAttentionHeads: fields.num_attention_heads,
    intermediateSize: fields.intermediate_size,
    hiddenAct: fields.hidden_act,
    hiddenDropoutProb: fields.hidden_dropout_prob,
    attentionProbsDropoutProb: fields.attention_probs_dropout_prob,
    maxPositionEmbeddings: fields.max_position_embeddings,
    typeVocabSize: fields.type_vocab_size,
    initializerRange: fields.initializer_range,
    layerNormEps: fields.layer_norm_eps,
    padTokenId: fields.pad_token_id,
  };
}

function bertError(problems: readonly string[]): ConfigError {
  return new ConfigError({ code: 'E_MODEL_CONFIG', where: 'BERT config', what: problems.join('; ') });
}

function problem({ path, message, input }: z.core.$ZodIssue): string {
  return `${path.join('.') || 'all of it'}: ${message}, got ${shown(input)}`;
}
