import { tf } from '../../backend/index.js';
import {
  type ConfigDict,
  type ForwardContext,
  inference,
  Module,
  type Serializable,
  type SerializableClass,
} from '../../nn/index.js';
import { assertShape } from '../../util/index.js';
import type { GroundingDinoConfig } from './config.js';
import type { DetectionLayer } from './decoder.js';
import { type EncodedImage, type EncodedText, GroundingDinoModel } from './grounding-dino-model.js';
import { ContrastiveEmbedding, MlpPredictionHead } from './heads.js';
import type { CellLogits } from './query-selection.js';
import { textGeometry } from './text-geometry.js';

/** Images in the detector's input format. */
export interface ImageInputs {
  /** [B, H, W, 3] f32, normalised, padded on the right and below. */
  readonly pixelValues: tf.Tensor4D;
  /** [B, H, W] i32, 1 image 0 padding. Default: no padding. */
  readonly pixelMask?: tf.Tensor3D | undefined;
}

/** Prompts in the detector's input format. */
export interface TextInputs {
  /** [B, T] i32. */
  readonly inputIds: tf.Tensor2D;
  /** [B, T] i32, 1 text 0 padding. Default: no padding. */
  readonly attentionMask?: tf.Tensor2D | undefined;
  /** [B, T] i32. Default: zeros. */
  readonly tokenTypeIds?: tf.Tensor2D | undefined;
}

/** As many prompts as images. */
export interface GroundingDinoInputs extends ImageInputs, TextInputs {}

/** The detector's outputs. */
export interface GroundingDinoOutputs {
  /** One per decoder layer; the last is the final prediction. */
  readonly layers: readonly DetectionLayer[];
  /** The first stage's boxes at the selected cells, with gradient; absent without `two_stage`. */
  readonly encoder: DetectionLayer | undefined;
  /** The first stage's logits at every cell, if asked for. */
  readonly cells?: CellLogits | undefined;
}

/** Further outputs of a forward pass. */
export interface ForwardOptions {
  /** Whether to output the first stage's logits at every cell. Default: false. */
  readonly cells?: boolean;
}

/**
 * Finds the structures that a prompt names: image and text features are fused, the cells most similar to the text become queries,
 * and a decoder refines their boxes.
 *
 * @see Liu et al. 2023, Grounding DINO, and transformers' `GroundingDinoForObjectDetection`, whose checkpoint keys are the paths
 * here
 */
export class GroundingDino extends Module {
  readonly config: GroundingDinoConfig;
  private readonly model: GroundingDinoModel;
  /** One per decoder layer; the same one throughout if the config shares it. */
  private readonly bboxEmbed: MlpPredictionHead[];
  private readonly classEmbed: ContrastiveEmbedding[];

  constructor(config: GroundingDinoConfig) {
    super();
    this.config = config;
    const { dModel, decoderLayers, decoderBboxEmbedShare } = config;
    this.model = this.child('model', new GroundingDinoModel(config));
    const heads = Array.from(
      { length: decoderBboxEmbedShare ? 1 : decoderLayers },
      () => new MlpPredictionHead(dModel, dModel, 4, 3),
    );
    this.childList('bbox_embed', heads);
    this.bboxEmbed = Array.from({ length: decoderLayers }, (_, i) => heads[i] ?? (heads[0] as MlpPredictionHead));
    const classes = Array.from({ length: decoderLayers }, () => new ContrastiveEmbedding(config));
    this.classEmbed = this.childList('class_embed', classes);
  }

  /**
   * Under a recording context the outputs belong to it, otherwise to the caller. T is the number of input tokens, at most
   * `maxTextLen`.
   */
  forward(inputs: GroundingDinoInputs, context: ForwardContext, options: ForwardOptions = {}): GroundingDinoOutputs {
    return tf.tidy(() => {
      const image = this.encodeImage(inputs, context);
      const text = this.encodeText(inputs, context);
      return this.detect(image, text, context, options) as unknown as tf.TensorContainer;
    }) as unknown as GroundingDinoOutputs;
  }

  /**
   * For `apply`, in evaluation mode.
   *
   * @param inputs - `pixelValues` and `inputIds`, as for {@link forward}.
   * @param kwargs - its other inputs.
   * @returns the last layer's `logits` and `predBoxes`.
   * @throws Error for another number of tensors.
   */
  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: Partial<GroundingDinoInputs> = {}): tf.Tensor[] {
    const given = Array.isArray(inputs) ? inputs : [inputs];
    if (given.length !== 2) throw new Error(`${this.name}: expected [pixelValues, inputIds], got ${given.length} tensors`);
    const [pixelValues, inputIds] = given as [tf.Tensor4D, tf.Tensor2D];
    return tf.tidy(() => {
      const { logits, predBoxes } = this.forward({ ...kwargs, pixelValues, inputIds }, inference).layers.at(-1) as DetectionLayer;
      return [logits, predBoxes];
    });
  }

  override getConfig(): ConfigDict {
    return { ...super.getConfig(), config: this.config as unknown as ConfigDict };
  }

  static override fromConfig<T extends Serializable>(_class: SerializableClass<T>, config: ConfigDict): T {
    return Module.restored(new GroundingDino(config['config'] as unknown as GroundingDinoConfig), config);
  }

  /** Encodes images (everything independent of the prompt); the tensors belong to the caller. */
  encodeImage({ pixelValues, pixelMask }: ImageInputs, context: ForwardContext): EncodedImage {
    const [b, h, w] = pixelValues.shape;
    if (pixelMask) assertShape(pixelMask, [b, h, w], 'GroundingDino pixelMask');
    return tf.tidy(
      () => this.model.encodeImage(pixelValues, pixelMask, context) as unknown as tf.TensorContainer,
    ) as unknown as EncodedImage;
  }

  /** Encodes prompts (everything independent of the image); the tensors belong to the caller. */
  encodeText({ inputIds, attentionMask, tokenTypeIds }: TextInputs, context: ForwardContext): EncodedText {
    if (attentionMask) assertShape(attentionMask, inputIds.shape, 'GroundingDino attentionMask');
    return tf.tidy(() => {
      const text = textGeometry(inputIds, attentionMask ?? tf.onesLike(inputIds), this.config);
      const types = (tokenTypeIds ?? tf.zerosLike(inputIds)).slice([0, 0], text.inputIds.shape);
      return this.model.encodeText(text, types, context) as unknown as tf.TensorContainer;
    }) as unknown as EncodedText;
  }

  /** Detects from encoded images and as many encoded prompts; the tensors belong to the caller. */
  detect(
    image: EncodedImage,
    text: EncodedText,
    context: ForwardContext,
    { cells = false }: ForwardOptions = {},
  ): GroundingDinoOutputs {
    const [b] = image.features.shape;
    assertShape(text.features, [b, ...text.features.shape.slice(1)], 'GroundingDino text');
    return tf.tidy(() => {
      const features = this.model.enhance(image, text, context);
      const selection = this.model.select(features, image.geometry, text.geometry, context);
      const { queries, references } = this.model.start(selection, b, context);
      const { bboxEmbed, classEmbed } = this;
      const { geometry: vision } = image;
      const start = { queries, references, features, vision, text: text.geometry, bboxEmbed, classEmbed };
      const layers = this.model.decoder.forward(start, context);
      const encoder = selection && { logits: selection.logits, predBoxes: selection.predBoxes };
      const scored = cells ? this.model.scoreCells(features, image.geometry, context) : undefined;
      return { layers, encoder, ...(scored && { cells: scored }) } as unknown as tf.TensorContainer;
    }) as unknown as GroundingDinoOutputs;
  }
}
