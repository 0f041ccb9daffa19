import { z } from 'zod';
import { bounds } from '../common/index.js';
import { type FocalNetConfig, focalNetSchema } from '../focalnet/index.js';

/** Sizes of the text encoder, CLIP's. */
export interface BiomedParseTextConfig {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  /** Tokens of the longest text, with those that begin and end it. */
  readonly maxPositionEmbeddings: number;
}

/** Configuration of a BiomedParse, version 1. Defaults are the published sizes. */
export interface BiomedParseConfig {
  /** Side of the square to which images are resized, in pixels. */
  readonly imageSize: number;
  readonly backbone: FocalNetConfig;
  readonly text: BiomedParseTextConfig;
  /** Channels of the pyramid, of the queries, and of a text's tokens among them. */
  readonly hiddenSize: number;
  /** Channels of the map with which a query's embedding is multiplied to give its mask. */
  readonly maskSize: number;
  /** Attention heads of pyramid and decoder. */
  readonly numAttentionHeads: number;
  /** Hidden layer of the MLPs of pyramid and decoder. */
  readonly intermediateSize: number;
  /** Transformer layers on the coarsest map. */
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly numQueries: number;
  /** Groups of the pyramid's norms. */
  readonly normGroups: number;
}

/** Stages of the backbone, of which the three coarsest are attended to. */
const STAGES = 4;

const textSchema = z
  .object({
    vocab_size: bounds.vocabulary.default(49_408),
    hidden_size: bounds.width.default(512),
    num_hidden_layers: bounds.layers.default(12),
    num_attention_heads: bounds.heads.default(8),
    max_position_embeddings: bounds.textLength.default(77),
  })
  .superRefine((c, context) => {
    if (c.hidden_size % c.num_attention_heads !== 0)
      context.addIssue({
        code: 'custom',
        path: ['num_attention_heads'],
        message: `expected a divisor of hidden_size, ${c.hidden_size}, got ${c.num_attention_heads}`,
      });
  });

const schema = z
  .object({
    image_size: bounds.imageSide.default(1024),
    backbone_config: focalNetSchema.prefault({}),
    text_config: textSchema.prefault({}),
    hidden_size: bounds.width.default(512),
    mask_size: bounds.width.default(512),
    num_attention_heads: bounds.heads.default(8),
    intermediate_size: bounds.width.default(2048),
    encoder_layers: bounds.layers.default(6),
    decoder_layers: bounds.layers.default(9),
    num_queries: bounds.queries.default(101),
    norm_groups: bounds.width.default(32),
  })
  .superRefine((c, context) => {
    const wrong = (field: keyof typeof c, message: string) => context.addIssue({ code: 'custom', path: [field], message });
    for (const field of ['num_attention_heads', 'norm_groups'] as const)
      if (c.hidden_size % c[field] !== 0) wrong(field, `expected a divisor of hidden_size, ${c.hidden_size}, got ${c[field]}`);
    if (c.hidden_size % 2 !== 0) wrong('hidden_size', `expected an even number, got ${c.hidden_size}`);
    const { depths } = c.backbone_config;
    if (depths.length !== STAGES) wrong('backbone_config', `depths: expected ${STAGES} stages, got ${depths.length}`);
    const divisor = 4 * 2 ** (STAGES - 1);
    if (c.image_size % divisor !== 0) wrong('image_size', `expected a multiple of ${divisor}, got ${c.image_size}`);
  });

/**
 * Parses a `config.json` of model type `biomedparse`. Missing fields take the published values.
 *
 * @throws ZodError naming every field that is invalid or inconsistent with another.
 */
export function parseBiomedParseConfig(json: unknown): BiomedParseConfig {
  const { text_config: text, backbone_config: backbone, ...own } = schema.parse(json);
  return {
    imageSize: own.image_size,
    backbone,
    text: {
      vocabSize: text.vocab_size,
      hiddenSize: text.hidden_size,
      numHiddenLayers: text.num_hidden_layers,
      numAttentionHeads: text.num_attention_heads,
      maxPositionEmbeddings: text.max_position_embeddings,
    },
    hiddenSize: own.hidden_size,
    maskSize: own.mask_size,
    numAttentionHeads: own.num_attention_heads,
    intermediateSize: own.intermediate_size,
    encoderLayers: own.encoder_layers,
    decoderLayers: own.decoder_layers,
    numQueries: own.num_queries,
    normGroups: own.norm_groups,
  };
}
