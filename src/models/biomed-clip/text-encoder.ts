import { tf } from '../../backend/index.js';
import { type ForwardContext, gelu, Linear, Module } from '../../nn/index.js';
import { Bert } from '../bert/index.js';
import type { BiomedClipConfig } from './config.js';

/** Texts for the encoder. */
export interface TextInputs {
  /** [B, T] i32. */
  readonly inputIds: tf.Tensor2D;
  /** [B, T] i32: 0 for padding. Default: no padding. */
  readonly attentionMask?: tf.Tensor2D | undefined;
}

/** BERT, whose class token an MLP without biases maps to the features of a text. */
export class TextEncoder extends Module {
  private readonly transformer: Bert;
  private readonly expand: Linear;
  private readonly contract: Linear;

  constructor({ text, textProjectionSize, projectionDim }: BiomedClipConfig) {
    super();
    this.transformer = this.child('transformer', new Bert(text));
    this.expand = this.child('proj.0', new Linear(text.hiddenSize, textProjectionSize, { bias: false }));
    this.contract = this.child('proj.2', new Linear(textProjectionSize, projectionDim, { bias: false }));
  }

  /** @returns [B, features] f32, not normalised. */
  forward({ inputIds, attentionMask }: TextInputs, context: ForwardContext): tf.Tensor2D {
    const [b, t] = inputIds.shape;
    return tf.tidy(() => {
      const mask = attentionMask ?? tf.onesLike(inputIds);
      const states = this.transformer.forward(
        {
          inputIds,
          attentionMask: tf.tile(tf.expandDims(mask, 1), [1, t, 1]) as tf.Tensor3D, // every token sees all but padding
          tokenTypeIds: tf.zerosLike(inputIds),
          positionIds: tf.tile(tf.expandDims(tf.range(0, t, 1, 'int32'), 0), [b, 1]) as tf.Tensor2D,
        },
        context,
      ); // [B, T, hidden]
      return context.block([this.expand, this.contract], { states }, (x) => {
        const token = tf.reshape(tf.slice(x.states, [0, 0, 0], [b, 1, -1]), [b, -1]);
        return { features: this.contract.forward(gelu(this.expand.forward(token))) as tf.Tensor2D }; // [B, features]
      }).features;
    });
  }
}
