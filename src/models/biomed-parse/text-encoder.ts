import { tf } from '../../backend/index.js';
import { constant, Embedding, type ForwardContext, LayerNorm, Linear, Module, normal, type Parameter } from '../../nn/index.js';
import { Attention } from './attention.js';
import type { BiomedParseConfig, BiomedParseTextConfig } from './config.js';

/** Epsilon of the norms; fixed in the reference. */
const EPS = 1e-12;
/** Standard deviation of the initial projection and positions, as in the reference. */
const INITIAL_STD = 0.02;
/** Slope of the sigmoid in CLIP's approximation of GELU. */
const QUICK_GELU = 1.702;

/** What a text says. */
export interface BiomedParseText extends Record<string, tf.Tensor> {
  /** [1, T, C] f32: the tokens, which join the queries. */
  readonly tokens: tf.Tensor3D;
  /** [1, C] f32, not normalised: what the queries are compared with. */
  readonly sentence: tf.Tensor2D;
}

/** CLIP's text encoder with a projection to the width of the queries. */
export class TextEncoder extends Module {
  /** Logarithm of the factor of similarities. */
  readonly logitScale: Parameter;
  private readonly tokenEmbedding: Embedding;
  private readonly positions: Parameter;
  private readonly blocks: TextBlock[];
  private readonly norm: LayerNorm;
  private readonly projection: Parameter;

  constructor({ text, hiddenSize }: Pick<BiomedParseConfig, 'text' | 'hiddenSize'>) {
    super();
    const init = normal(INITIAL_STD);
    this.tokenEmbedding = this.child('lang_encoder.token_embedding', new Embedding(text.vocabSize, text.hiddenSize));
    this.positions = this.parameter('lang_encoder.positional_embedding', [text.maxPositionEmbeddings, text.hiddenSize], { init });
    this.blocks = this.childList(
      'lang_encoder.resblocks',
      Array.from({ length: text.numHiddenLayers }, () => new TextBlock(text)),
    );
    this.norm = this.child('lang_encoder.ln_final', new LayerNorm(text.hiddenSize, EPS));
    this.projection = this.parameter('lang_proj', [text.hiddenSize, hiddenSize], { init });
    this.logitScale = this.parameter('logit_scale', [], { init: constant(1) });
  }

  /**
   * @param inputIds - [1, T] i32 of one text without padding, which could change nothing: no token sees those after it. Its last
   * token is the end of the text, whose state stands for the whole.
   */
  forward(inputIds: tf.Tensor2D, context: ForwardContext): BiomedParseText {
    const [, t] = inputIds.shape;
    return tf.tidy(() => {
      const { embedded } = context.block([this.tokenEmbedding, this.positions], { inputIds }, (given) => {
        const positions = tf.slice(this.positions.value as tf.Tensor2D, [0, 0], [t, -1]);
        return { embedded: tf.add(this.tokenEmbedding.forward(given.inputIds), positions) as tf.Tensor3D }; // [1, T, W]
      });
      const row = tf.range(0, t, 1, 'int32');
      const later = tf.greater(tf.reshape(row, [1, 1, t]), tf.reshape(row, [1, t, 1])) as tf.Tensor3D; // [1, T, T]
      const states = this.blocks.reduce((x, block) => block.forward(x, later, context), embedded); // [1, T, W]
      return context.block([this.norm, this.projection], { states }, (given) => {
        const rows = tf.reshape(this.norm.forward(given.states), [t, -1]) as tf.Tensor2D;
        const projected = tf.matMul(rows, this.projection.value as tf.Tensor2D); // [T, C]
        return {
          tokens: tf.expandDims(projected, 0) as tf.Tensor3D,
          sentence: tf.slice(projected, [t - 1, 0], [1, -1]) as tf.Tensor2D,
        };
      });
    });
  }

  /**
   * How alike queries and texts are: cosines, scaled.
   *
   * @param queries - [B, Q, C] f32.
   * @param sentences - [N, C] f32.
   * @returns [B, Q, N] f32.
   */
  similarity(queries: tf.Tensor3D, sentences: tf.Tensor2D): tf.Tensor3D {
    const [b, q, c] = queries.shape;
    const products = tf.matMul(normalised(tf.reshape(queries, [b * q, c])), normalised(sentences), false, true);
    const factor = tf.minimum(tf.exp(this.logitScale.value), MOST_SCALE);
    return tf.reshape(tf.mul(products, factor), [b, q, -1]);
  }
}

/** Bounds of similarities, as in the reference: their largest factor, and what is added to a length before the division. */
const MOST_SCALE = 100;
const LENGTH_EPS = 1e-7;

function normalised(rows: tf.Tensor): tf.Tensor2D {
  return tf.div(rows, tf.add(tf.sqrt(tf.sum(tf.square(rows), -1, true)), LENGTH_EPS));
}

/** Causal self-attention, then an MLP, each after a norm and with a residual connection. */
class TextBlock extends Module {
  private readonly attention: Attention;
  private readonly norm1: LayerNorm;
  private readonly expand: Linear;
  private readonly contract: Linear;
  private readonly norm2: LayerNorm;

  constructor({ hiddenSize, numAttentionHeads }: BiomedParseTextConfig) {
    super();
    this.attention = this.child('attn', new Attention(hiddenSize, numAttentionHeads));
    this.norm1 = this.child('ln_1', new LayerNorm(hiddenSize, EPS));
    this.expand = this.child('mlp.c_fc', new Linear(hiddenSize, 4 * hiddenSize));
    this.contract = this.child('mlp.c_proj', new Linear(4 * hiddenSize, hiddenSize));
    this.norm2 = this.child('ln_2', new LayerNorm(hiddenSize, EPS));
  }

  /**
   * @param x - [1, T, W] f32.
   * @param later - [1, T, T] bool, true for tokens after the row's.
   * @returns the same shape.
   */
  forward(x: tf.Tensor3D, later: tf.Tensor3D, context: ForwardContext): tf.Tensor3D {
    return context.block(this, { x, later }, (given) => {
      const normed = this.norm1.forward(given.x);
      const attended = this.attention.forward({ query: normed, key: normed, value: normed, blocked: given.later });
      const seen = tf.add(given.x, attended); // [1, T, W]
      const hidden = this.expand.forward(this.norm2.forward(seen)); // [1, T, 4 W]
      const active = tf.mul(hidden, tf.sigmoid(tf.mul(hidden, QUICK_GELU)));
      return { y: tf.add(seen, this.contract.forward(active)) as tf.Tensor3D };
    }).y;
  }
}
