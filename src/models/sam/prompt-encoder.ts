import { tf } from '../../backend/index.js';
import { Embedding, Module } from '../../nn/index.js';
import {
  boxTokens,
  MaskEmbedding,
  type PositionEmbedding,
  type Prompts,
  pointTokens,
  type TokenParts,
} from '../sam-common/index.js';
import type { SamPromptEncoderConfig } from './config.js';

/** The largest point label with an embedding; the following embeddings are for the corners of boxes. */
const INSIDE = 1;

/** Encodes boxes and points as tokens, and an earlier mask as a map. */
export class PromptEncoder extends Module {
  readonly config: SamPromptEncoderConfig;
  private readonly sharedEmbedding: PositionEmbedding;
  private readonly pointEmbed: Embedding[];
  private readonly notAPointEmbed: Embedding;
  private readonly maskEmbed: MaskEmbedding;
  private readonly noMaskEmbed: Embedding;

  /** @param places - the position embedding that prompts and images share. */
  constructor(config: SamPromptEncoderConfig, places: PositionEmbedding) {
    super();
    const { hiddenSize, numPointEmbeddings } = config;
    this.config = config;
    this.sharedEmbedding = this.child('shared_embedding', places);
    this.maskEmbed = this.child('mask_embed', new MaskEmbedding(config));
    this.noMaskEmbed = this.child('no_mask_embed', new Embedding(1, hiddenSize, 1));
    this.pointEmbed = this.childList(
      'point_embed',
      Array.from({ length: numPointEmbeddings }, () => new Embedding(1, hiddenSize, 1)),
    );
    this.notAPointEmbed = this.child('not_a_point_embed', new Embedding(1, hiddenSize, 1));
  }

  /**
   * The tokens of all prompts: points first, then the box.
   *
   * @returns [B, N, T, C] f32.
   */
  tokens({ boxes, points, labels }: Prompts): tf.Tensor4D {
    const parts: tf.Tensor4D[] = [];
    if (points !== undefined && labels !== undefined)
      parts.push(pointTokens(points, labels, this.parts, { lastMark: INSIDE, end: boxes === undefined }));
    if (boxes !== undefined) parts.push(boxTokens(boxes, this.parts));
    return tf.concat(parts, 2);
  }

  /**
   * The map added to the image features: an embedded earlier mask [B, h, w, 1], or the learned "no mask" embedding. Broadcasts to
   * [B, h, w, C].
   */
  dense(masks: tf.Tensor4D | undefined): tf.Tensor4D {
    return masks === undefined ? tf.reshape(this.noMaskEmbed.weight.value, [1, 1, 1, -1]) : this.maskEmbed.forward(masks);
  }

  private get parts(): TokenParts {
    return {
      places: this.sharedEmbedding,
      marks: tf.concat(
        this.pointEmbed.map(({ weight }) => weight.value),
        0,
      ),
      notAPoint: this.notAPointEmbed.weight.value,
      imageSize: this.config.imageSize,
    };
  }
}
