import { tf } from '../../backend/index.js';
import { Embedding, Module } from '../../nn/index.js';
import { boxTokens, MaskEmbedding, PositionEmbedding, type Prompts, pointTokens, type TokenParts } from '../sam-common/index.js';
import type { PromptEncoderConfig } from './config.js';

/** Encodes boxes and points as tokens, and an earlier mask as a map. */
export class PromptEncoder extends Module {
  readonly config: PromptEncoderConfig;
  private readonly sharedEmbedding: PositionEmbedding;
  private readonly pointEmbed: Embedding;
  private readonly notAPointEmbed: Embedding;
  private readonly maskEmbed: MaskEmbedding;
  private readonly noMaskEmbed: Embedding;

  constructor(config: PromptEncoderConfig) {
    super();
    const { hiddenSize, scale, numPointEmbeddings } = config;
    this.config = config;
    this.sharedEmbedding = this.child('shared_embedding', new PositionEmbedding(hiddenSize / 2, scale));
    this.maskEmbed = this.child('mask_embed', new MaskEmbedding(config));
    this.noMaskEmbed = this.child('no_mask_embed', new Embedding(1, hiddenSize, 1));
    this.pointEmbed = this.child('point_embed', new Embedding(numPointEmbeddings, hiddenSize, 1));
    this.notAPointEmbed = this.child('not_a_point_embed', new Embedding(1, hiddenSize, 1));
  }

  /** Side length of the image feature map. */
  get mapSize(): number {
    return Math.floor(this.config.imageSize / this.config.patchSize);
  }

  /**
   * The tokens of all prompts: points first, then the box.
   *
   * @returns [B, N, T, C] f32.
   */
  tokens({ boxes, points, labels }: Prompts): tf.Tensor4D {
    const parts: tf.Tensor4D[] = [];
    if (points !== undefined && labels !== undefined) {
      const options = { lastMark: this.config.numPointEmbeddings - 1, end: boxes === undefined };
      parts.push(pointTokens(points, labels, this.parts, options));
    }
    if (boxes !== undefined) parts.push(this.embedBoxes(boxes));
    return tf.concat(parts, 2);
  }

  /**
   * The map added to the image features: an embedded earlier mask [B, h, w, 1], or the learned "no mask" embedding. Broadcasts to
   * [B, h, w, C].
   */
  dense(masks: tf.Tensor4D | undefined): tf.Tensor4D {
    return masks === undefined ? tf.reshape(this.noMaskEmbed.weight.value, [1, 1, 1, -1]) : this.maskEmbed.forward(masks);
  }

  private embedBoxes(boxes: tf.Tensor3D): tf.Tensor4D {
    const [b, n] = boxes.shape;
    const end = tf.tile(tf.reshape(this.notAPointEmbed.weight.value, [1, 1, 1, -1]), [b, n, 1, 1]);
    return tf.concat([boxTokens(boxes, this.parts), end], 2) as tf.Tensor4D;
  }

  private get parts(): TokenParts {
    return {
      places: this.sharedEmbedding,
      marks: this.pointEmbed.weight.value,
      notAPoint: this.notAPointEmbed.weight.value,
      imageSize: this.config.imageSize,
    };
  }
}
