import { tf } from '../../backend/index.js';
import { type ForwardContext, Module } from '../../nn/index.js';
import { assertShape } from '../../util/index.js';
import { BertEmbeddings, type BertTokens } from './bert-embeddings.js';
import { BertLayer } from './bert-layer.js';
import type { BertConfig } from './config.js';

export interface BertInputs extends BertTokens {
  /** [B, T, T] i32 or bool, [query, key]: 1 where the query may attend to the key. */
  readonly attentionMask: tf.Tensor3D;
}

/**
 * The BERT encoder without pooling, with an attention mask over pairs of tokens, which open-vocabulary detectors use to keep
 * phrases apart.
 *
 * @see Devlin et al. 2018, "BERT", and transformers 5.18 models/bert/modeling_bert.py, BertModel
 */
export class Bert extends Module {
  private readonly embeddings: BertEmbeddings;
  private readonly layers: BertLayer[];

  constructor(config: BertConfig) {
    super();
    this.embeddings = this.child('embeddings', new BertEmbeddings(config));
    this.layers = this.childList(
      'encoder.layer',
      Array.from({ length: config.numHiddenLayers }, () => new BertLayer(config)),
    );
  }

  /** @returns the last hidden states, [B, T, hidden] f32. */
  forward({ inputIds, attentionMask, tokenTypeIds, positionIds }: BertInputs, context: ForwardContext): tf.Tensor3D {
    const [b, t] = inputIds.shape;
    assertShape(attentionMask, [b, t, t], 'Bert attentionMask');
    assertShape(tokenTypeIds, [b, t], 'Bert tokenTypeIds');
    assertShape(positionIds, [b, t], 'Bert positionIds');
    return tf.tidy(() => {
      const bias = maskBias(attentionMask);
      const embedded = this.embeddings.forward({ inputIds, tokenTypeIds, positionIds }, context); // [B, T, hidden]
      return this.layers.reduce((x, layer) => layer.forward(x, bias, context), embedded);
    });
  }
}

/** 0 where attention is allowed, elsewhere so low that softmax gives 0: [B, 1, T, T] f32. */
function maskBias(mask: tf.Tensor3D): tf.Tensor4D {
  const closed = tf.sub(1, tf.cast(mask, 'float32'));
  return tf.expandDims(tf.mul(closed, -1e9), 1) as tf.Tensor4D;
}

/**
 * Unused keys that BERT checkpoints may contain, as path patterns: older versions saved `position_ids` (0, 1, 2, …), and a
 * pooling layer belongs to classifiers.
 */
export const bertUnusedKeys: readonly string[] = ['embeddings.position_ids', 'pooler.**'];
