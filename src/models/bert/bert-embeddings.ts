import { tf } from '../../backend/index.js';
import { dropout, Embedding, type ForwardContext, LayerNorm, Module } from '../../nn/index.js';
import type { BertConfig } from './config.js';

export interface BertTokens {
  /** [B, T] i32. */
  readonly inputIds: tf.Tensor2D;
  /** [B, T] i32: the segment of each token. */
  readonly tokenTypeIds: tf.Tensor2D;
  /** [B, T] i32: the position of a token in its phrase. */
  readonly positionIds: tf.Tensor2D;
}

/** Sum of word, segment and position embeddings, normalised. */
export class BertEmbeddings extends Module {
  private readonly config: BertConfig;
  private readonly words: Embedding;
  private readonly positions: Embedding;
  private readonly types: Embedding;
  private readonly norm: LayerNorm;

  constructor(config: BertConfig) {
    super();
    const { vocabSize, hiddenSize, maxPositionEmbeddings, typeVocabSize, initializerRange } = config;
    this.config = config;
    this.words = this.child('word_embeddings', new Embedding(vocabSize, hiddenSize, initializerRange));
    this.positions = this.child('position_embeddings', new Embedding(maxPositionEmbeddings, hiddenSize, initializerRange));
    this.types = this.child('token_type_embeddings', new Embedding(typeVocabSize, hiddenSize, initializerRange));
    this.norm = this.child('LayerNorm', new LayerNorm(hiddenSize, config.layerNormEps));
  }

  /** @returns [B, T, hidden] f32. */
  forward({ inputIds, tokenTypeIds, positionIds }: BertTokens, context: ForwardContext): tf.Tensor3D {
    const { x } = context.block(this, { inputIds, tokenTypeIds, positionIds }, (ids, mode) => {
      const words = this.withoutPadGradient(this.words.forward(ids.inputIds), ids.inputIds);
      const sum = tf.add(tf.add(words, this.types.forward(ids.tokenTypeIds)), this.positions.forward(ids.positionIds));
      return { x: dropout(this.norm.forward(sum), this.config.hiddenDropoutProb, mode) as tf.Tensor3D };
    });
    return x;
  }

  /** Like torch's `padding_idx`: the padding token's row is not trained. */
  private withoutPadGradient(words: tf.Tensor, ids: tf.Tensor2D): tf.Tensor {
    const { padTokenId } = this.config;
    if (padTokenId === null) return words;
    const op = tf.customGrad((x) => ({
      value: (x as tf.Tensor).clone(),
      gradFunc: (dy: tf.Tensor) => tf.mul(dy, tf.expandDims(tf.cast(tf.notEqual(ids, padTokenId), 'float32'), -1)),
    }));
    return op(words);
  }
}
