import { tf } from '../../backend/index.js';
import { type Activation, activation, Conv2d, Embedding, LayerNorm, Module } from '../../nn/index.js';
import type { PromptEncoderConfig } from './config.js';
import { PositionEmbedding } from './position-embedding.js';

/** Labels of points that are none: one that stands for "no more points", one that is left out altogether. */
const NOT_A_POINT = -1;
const PADDING = -10;

/** Rows of the point embedding that mark the corners of a box. */
const TOP_LEFT = 2;
const BOTTOM_RIGHT = 3;

/** What a mask is asked for with, in pixels of the model's input. */
export interface Prompts {
  /** [B, N, 4] f32: left, top, right, bottom. */
  readonly boxes?: tf.Tensor3D | undefined;
  /** [B, N, P, 2] f32: x, y. */
  readonly points?: tf.Tensor4D | undefined;
  /** [B, N, P] i32: 1 inside, 0 outside, -10 padding. */
  readonly labels?: tf.Tensor3D | undefined;
}

/** Turns boxes and points into tokens, and an earlier mask into a map. */
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
    this.sharedEmbedding = this.child('shared_embedding', new PositionEmbedding(hiddenSize, scale));
    this.maskEmbed = this.child('mask_embed', new MaskEmbedding(config));
    this.noMaskEmbed = this.child('no_mask_embed', new Embedding(1, hiddenSize, 1));
    this.pointEmbed = this.child('point_embed', new Embedding(numPointEmbeddings, hiddenSize, 1));
    this.notAPointEmbed = this.child('not_a_point_embed', new Embedding(1, hiddenSize, 1));
  }

  /** Side of the map that image features are laid out on. */
  get mapSize(): number {
    return Math.floor(this.config.imageSize / this.config.patchSize);
  }

  /**
   * The tokens of all prompts: those of the points, then those of the box.
   *
   * @returns [B, N, T, C] f32.
   */
  tokens({ boxes, points, labels }: Prompts): tf.Tensor4D {
    const parts: tf.Tensor4D[] = [];
    if (points !== undefined && labels !== undefined) parts.push(this.embedPoints(points, labels, boxes === undefined));
    if (boxes !== undefined) parts.push(this.embedBoxes(boxes));
    return tf.concat(parts, 2);
  }

  /** What is added to the image features: an earlier mask [B, h, w, 1], or the learned sign that there is none. Broadcasts to [B, h, w, C]. */
  dense(masks: tf.Tensor4D | undefined): tf.Tensor4D {
    return masks === undefined ? tf.reshape(this.noMaskEmbed.weight.value, [1, 1, 1, -1]) : this.maskEmbed.forward(masks);
  }

  private embedPoints(points: tf.Tensor4D, labels: tf.Tensor3D, pad: boolean): tf.Tensor4D {
    const [b, n] = labels.shape;
    const at = tf.add(points, 0.5); // pixel centres
    const places = pad ? tf.concat([at, tf.zeros([b, n, 1, 2])], 2) : at;
    const kinds = tf.expandDims(pad ? tf.concat([labels, tf.fill([b, n, 1], NOT_A_POINT, 'int32')], 2) : labels, -1); // [B, N, P, 1]
    const share = (condition: tf.Tensor) => tf.cast(condition, 'float32');
    const none = share(tf.equal(kinds, NOT_A_POINT));
    const placed = share(tf.logicalAnd(tf.notEqual(kinds, NOT_A_POINT), tf.notEqual(kinds, PADDING)));
    const labelled = share(tf.greaterEqual(kinds, 0));
    const embedded = tf.mul(this.sharedEmbedding.forward(tf.div(places, this.config.imageSize)), placed);
    const kind = this.pointEmbed.forward(tf.squeeze(tf.maximum(kinds, tf.scalar(0, 'int32')), [-1])); // [B, N, P, C]
    return tf.addN([embedded, tf.mul(kind, labelled), tf.mul(this.notAPointEmbed.weight.value, none)]) as tf.Tensor4D;
  }

  private embedBoxes(boxes: tf.Tensor3D): tf.Tensor4D {
    const [b, n] = boxes.shape;
    const corners = tf.div(tf.add(boxes, 0.5), this.config.imageSize).reshape([b, n, 2, 2]);
    const marks = this.pointEmbed.weight.value.slice([TOP_LEFT, 0], [BOTTOM_RIGHT - TOP_LEFT + 1, -1]); // [2, C]
    const embedded = tf.add(this.sharedEmbedding.forward(corners), marks); // [B, N, 2, C]
    const end = tf.tile(tf.reshape(this.notAPointEmbed.weight.value, [1, 1, 1, -1]), [b, n, 1, 1]);
    return tf.concat([embedded, end], 2) as tf.Tensor4D;
  }
}

/** Brings a mask of logits to a quarter of its size and the decoder's channels. */
class MaskEmbedding extends Module {
  private readonly conv1: Conv2d;
  private readonly norm1: LayerNorm;
  private readonly conv2: Conv2d;
  private readonly norm2: LayerNorm;
  private readonly conv3: Conv2d;
  private readonly activate: Activation;

  constructor({ maskInputChannels, hiddenSize, layerNormEps, hiddenAct }: PromptEncoderConfig) {
    super();
    const few = Math.floor(maskInputChannels / 4);
    this.conv1 = this.child('conv1', new Conv2d(1, few, { kernelSize: 2, stride: 2 }));
    this.norm1 = this.child('layer_norm1', new LayerNorm(few, layerNormEps));
    this.conv2 = this.child('conv2', new Conv2d(few, maskInputChannels, { kernelSize: 2, stride: 2 }));
    this.norm2 = this.child('layer_norm2', new LayerNorm(few * 4, layerNormEps));
    this.conv3 = this.child('conv3', new Conv2d(maskInputChannels, hiddenSize, { kernelSize: 1 }));
    this.activate = activation(hiddenAct);
  }

  /** [B, 4h, 4w, 1] to [B, h, w, C]. */
  forward(masks: tf.Tensor4D): tf.Tensor4D {
    const half = this.activate(this.norm1.forward(this.conv1.forward(masks)));
    const quarter = this.activate(this.norm2.forward(this.conv2.forward(half)));
    return this.conv3.forward(quarter);
  }
}
