import { tf } from '../../backend/index.js';
import {
  activated,
  type ForwardContext,
  LayerNorm,
  Linear,
  Module,
  normal,
  type Parameter,
  throughHidden,
} from '../../nn/index.js';
import { resizeBilinear } from '../../ops/index.js';
import { Attention } from './attention.js';
import type { BiomedParseConfig } from './config.js';
import { type PixelFeatures, positionsOf } from './pixel-decoder.js';
import { TextEncoder } from './text-encoder.js';

/** Levels of the pyramid that queries attend to, in turn. */
const LEVELS = 3;
/** Standard deviation of the initial class embedding, as in the reference. */
const INITIAL_STD = 0.02;

/** An image as the decoder reads it, for any number of texts. */
export interface BiomedParseImage extends Record<string, tf.Tensor> {
  /** [B, H / 4, W / 4, mask size] f32. */
  readonly maskFeatures: tf.Tensor4D;
  /** [B, h * w, C] f32 each, coarsest first. */
  readonly level0: tf.Tensor3D;
  readonly level1: tf.Tensor3D;
  readonly level2: tf.Tensor3D;
  /** The mask features on the grid of each level, [B, h, w, mask size] f32: which cells a query attends to. */
  readonly grid0: tf.Tensor4D;
  readonly grid1: tf.Tensor4D;
  readonly grid2: tf.Tensor4D;
}

/** What the decoder makes of its queries. */
export interface BiomedParseQueries extends Record<string, tf.Tensor> {
  /** [B, Q, mask size] f32: a mask is its product with the mask features. */
  readonly maskEmbeds: tf.Tensor3D;
  /** [B, Q, C] f32, to compare with texts. */
  readonly classEmbeds: tf.Tensor3D;
}

/**
 * SEEM's decoder, for texts: learned queries attend to one level of the pyramid after the other, where their masks are so far, and
 * to each other together with the tokens of the text, which change with them.
 *
 * @see Zou et al. 2023, Segment Everything Everywhere All at Once; microsoft/BiomedParse, `modeling/interface/seem_demo.py`
 */
export class SeemDecoder extends Module {
  readonly language: TextEncoder;
  private readonly queries: Parameter;
  private readonly queryPositions: Parameter;
  private readonly levelEmbed: Parameter;
  private readonly crossAttention: AttentionLayer[];
  private readonly selfAttention: AttentionLayer[];
  private readonly mlps: MlpLayer[];
  private readonly norm: LayerNorm;
  private readonly maskEmbed: Linear[];
  private readonly classEmbed: Parameter;
  private readonly channels: number;

  constructor(config: BiomedParseConfig) {
    super();
    const { hiddenSize: c, maskSize, decoderLayers, numQueries } = config;
    const layers = <L>(make: () => L) => Array.from({ length: decoderLayers }, make);
    this.channels = c;
    this.language = this.child('lang_encoder', new TextEncoder(config));
    this.queries = this.parameter('query_feat.weight', [numQueries, c], { init: normal(1) });
    this.queryPositions = this.parameter('query_embed.weight', [numQueries, c], { init: normal(1) });
    this.levelEmbed = this.parameter('level_embed.weight', [LEVELS, c], { init: normal(1) });
    this.crossAttention = this.childList(
      'transformer_cross_attention_layers',
      layers(() => new AttentionLayer(config, 'multihead_attn')),
    );
    this.selfAttention = this.childList(
      'transformer_self_attention_layers',
      layers(() => new AttentionLayer(config, 'self_attn')),
    );
    this.mlps = this.childList(
      'transformer_ffn_layers',
      layers(() => new MlpLayer(config)),
    );
    this.norm = this.child('decoder_norm', new LayerNorm(c));
    this.maskEmbed = this.childList(
      'mask_embed.layers',
      [c, c, maskSize].map((width) => new Linear(c, width)),
    );
    this.classEmbed = this.parameter('class_embed', [c, c], { init: normal(INITIAL_STD) });
  }

  /** Prepares the maps of an image for {@link forward}. */
  prepare({ maskFeatures, levels }: PixelFeatures, context: ForwardContext): BiomedParseImage {
    const sources = levels.map((map, level) =>
      context.block(this.levelEmbed, { map }, (given) => {
        const [b, h, w, c] = given.map.shape;
        const embedding = tf.slice(this.levelEmbed.value as tf.Tensor2D, [level, 0], [1, c]);
        return { x: tf.add(tf.reshape(given.map, [b, h * w, c]), embedding) as tf.Tensor3D }; // [B, h w, C]
      }),
    );
    // The reference resizes the masks of all queries in each layer: the same, since a mask is linear in the features.
    const grids = levels.map(({ shape: [, h, w] }) => resizeBilinear(context.detach(maskFeatures), [h, w]));
    const [level0, level1, level2] = sources.map(({ x }) => x) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
    const [grid0, grid1, grid2] = grids as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
    return { maskFeatures, level0, level1, level2, grid0, grid1, grid2 };
  }

  /**
   * @param tokens - [B, T, C] f32: of one text, or of several one after the other, which then see each other.
   * @returns the queries after the last layer.
   */
  forward(image: BiomedParseImage, tokens: tf.Tensor3D, context: ForwardContext): BiomedParseQueries {
    const [b] = image.level0.shape;
    const sources = [image.level0, image.level1, image.level2];
    const grids = [image.grid0, image.grid1, image.grid2];
    const positions = grids.map(({ shape: [, h, w] }) => positionsOf([h, w], this.channels)); // [1, h w, C]
    // The reference takes no gradient of the tokens as their own positions.
    const tokenPositions = context.detach(tokens);
    let { queries } = context.block(this.queries, {}, () => ({
      queries: tf.tile(tf.expandDims(this.queries.value as tf.Tensor, 0), [b, 1, 1]) as tf.Tensor3D, // [B, Q, C]
    }));
    let words = tokens;
    for (const [i, cross] of this.crossAttention.entries()) {
      const level = i % LEVELS;
      const blocked = this.blocked(queries, grids[level] as tf.Tensor4D);
      const memory = { memory: sources[level] as tf.Tensor3D, positions: positions[level] as tf.Tensor3D };
      ({ queries } = context.block([cross, this.queryPositions], { queries, ...memory, blocked }, (given) => {
        const placed = tf.add(given.queries, this.queryPositions.value); // [B, Q, C]
        const keys = tf.add(given.memory, given.positions);
        const answers = { query: placed, key: keys, value: given.memory, blocked: given.blocked };
        return { queries: cross.forward(given.queries, answers) }; // [B, Q, C]
      }));
      ({ queries, words } = this.together(i, { queries, words, tokenPositions }, context));
    }
    return context.block([this.norm, ...this.maskEmbed, this.classEmbed], { queries }, (given) => {
      const normed = this.norm.forward(given.queries); // [B, Q, C]
      const [, q, c] = normed.shape;
      const classes = tf.matMul(tf.reshape(normed, [b * q, c]) as tf.Tensor2D, this.classEmbed.value as tf.Tensor2D);
      return { maskEmbeds: this.maskEmbedsOf(normed), classEmbeds: tf.reshape(classes, [b, q, c]) as tf.Tensor3D };
    });
  }

  /** Self-attention of the queries and the words, and their MLP. */
  private together(
    layer: number,
    inputs: { readonly queries: tf.Tensor3D; readonly words: tf.Tensor3D; readonly tokenPositions: tf.Tensor3D },
    context: ForwardContext,
  ): { queries: tf.Tensor3D; words: tf.Tensor3D } {
    const [attention, mlp] = [this.selfAttention[layer], this.mlps[layer]] as [AttentionLayer, MlpLayer];
    const [b, q] = inputs.queries.shape;
    return context.block([mlp, attention, this.queryPositions], inputs, (given) => {
      const own = tf.tile(tf.expandDims(this.queryPositions.value as tf.Tensor, 0), [b, 1, 1]);
      const x = tf.concat([given.queries, given.words], 1); // [B, Q + T, C]
      const placed = tf.add(x, tf.concat([own as tf.Tensor3D, given.tokenPositions], 1));
      const y = mlp.forward(attention.forward(x, { query: placed, key: placed, value: x })); // [B, Q + T, C]
      return { queries: tf.slice(y, [0, 0, 0], [b, q, -1]), words: tf.slice(y, [0, q, 0], [b, -1, -1]) };
    });
  }

  /** Where each query must not attend: outside of its mask, unless the mask is empty. [B, Q, h w] bool, without gradient. */
  private blocked(queries: tf.Tensor3D, grid: tf.Tensor4D): tf.Tensor3D {
    const [b, h, w, d] = grid.shape;
    return tf.tidy(() => {
      const masks = tf.matMul(this.maskEmbedsOf(this.norm.forward(queries)), tf.reshape(grid, [b, h * w, d]), false, true);
      const outside = tf.less(tf.sigmoid(masks), 0.5); // [B, Q, h w]
      return tf.logicalAnd(outside, tf.logicalNot(tf.all(outside, -1, true))) as tf.Tensor3D;
    });
  }

  /** [B, Q, C] to [B, Q, mask size]. */
  private maskEmbedsOf(normed: tf.Tensor3D): tf.Tensor3D {
    const last = this.maskEmbed.length - 1;
    const step = (x: tf.Tensor, layer: Linear, i: number) => (i < last ? activated(layer, 'relu', x) : layer.forward(x));
    return this.maskEmbed.reduce<tf.Tensor>(step, normed) as tf.Tensor3D;
  }
}

/** Attention with a residual connection and a norm after it. */
class AttentionLayer extends Module {
  private readonly attention: Attention;
  private readonly norm: LayerNorm;

  constructor({ hiddenSize, numAttentionHeads }: BiomedParseConfig, name: 'self_attn' | 'multihead_attn') {
    super();
    this.attention = this.child(name, new Attention(hiddenSize, numAttentionHeads));
    this.norm = this.child('norm', new LayerNorm(hiddenSize));
  }

  /** @param x - [B, N, C] f32, to which the answer is added. */
  forward(x: tf.Tensor3D, inputs: Parameters<Attention['forward']>[0]): tf.Tensor3D {
    return this.norm.forward(tf.add(x, this.attention.forward(inputs)));
  }
}

/** An MLP with a residual connection and a norm after it. */
class MlpLayer extends Module {
  private readonly expand: Linear;
  private readonly contract: Linear;
  private readonly norm: LayerNorm;

  constructor({ hiddenSize, intermediateSize }: BiomedParseConfig) {
    super();
    this.expand = this.child('linear1', new Linear(hiddenSize, intermediateSize));
    this.contract = this.child('linear2', new Linear(intermediateSize, hiddenSize));
    this.norm = this.child('norm', new LayerNorm(hiddenSize));
  }

  forward(x: tf.Tensor3D): tf.Tensor3D {
    const { expand, contract } = this;
    return this.norm.forward(throughHidden(x, { expand, activate: 'relu', contract, addTo: x })) as tf.Tensor3D;
  }
}
