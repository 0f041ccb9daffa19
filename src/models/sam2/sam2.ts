import { tf } from '../../backend/index.js';
import {
  type ConfigDict,
  type ForwardContext,
  inference,
  Module,
  normal,
  type Parameter,
  type Serializable,
  type SerializableClass,
  TensorLayer,
} from '../../nn/index.js';
import { assertShape } from '../../util/index.js';
import { Hiera } from '../hiera/index.js';
import { checkPrompts, PositionEmbedding, type Prompts, perPrompt } from '../sam-common/index.js';
import type { Sam2Config } from './config.js';
import { MaskDecoder, type MaskOutputs, type TokenOutputs } from './mask-decoder.js';
import { Neck } from './neck.js';
import { PromptEncoder } from './prompt-encoder.js';

/** Image features, independent of the prompts. */
export interface Sam2ImageFeatures {
  /** [B, h, w, C] f32, including the "no memory" embedding. */
  readonly embeddings: tf.Tensor4D;
  /** [B, 4h, 4w, C / 8] f32. */
  readonly highRes0: tf.Tensor4D;
  /** [B, 2h, 2w, C / 4] f32. */
  readonly highRes1: tf.Tensor4D;
}

/** Inputs of the decoder. */
export interface DecodeInputs extends Prompts {
  readonly features: Sam2ImageFeatures;
  /** [B, 4h, 4w, 1] f32: logits of an earlier mask. */
  readonly masks?: tf.Tensor4D | undefined;
  /** Predict several masks per prompt instead of one. */
  readonly multimask: boolean;
}

/** Standard deviation of the initial "no memory" embedding. */
const NO_MEMORY_STD = 0.02;

/**
 * The image part of SAM 2: an image encoder that runs once per image, and a decoder that turns boxes and points into masks.
 *
 * @see Ravi et al. 2024, SAM 2; transformers' `Sam2Model`, whose checkpoint keys are the paths here
 */
export class Sam2 extends Module {
  readonly config: Sam2Config;
  private readonly sharedImageEmbedding: PositionEmbedding;
  private readonly visionEncoder: VisionEncoder;
  private readonly promptEncoder: PromptEncoder;
  protected readonly maskDecoder: MaskDecoder;
  protected readonly noMemoryEmbedding: Parameter;

  constructor(config: Sam2Config) {
    super();
    const { promptEncoder, maskDecoder, neck } = config;
    this.config = config;
    this.sharedImageEmbedding = this.child(
      'shared_image_embedding',
      new PositionEmbedding(promptEncoder.hiddenSize / 2, promptEncoder.scale),
    );
    this.visionEncoder = this.child('vision_encoder', new VisionEncoder(config));
    this.promptEncoder = this.child('prompt_encoder', new PromptEncoder(promptEncoder));
    this.maskDecoder = this.child('mask_decoder', new MaskDecoder(maskDecoder));
    this.noMemoryEmbedding = this.parameter('no_memory_embedding', [1, 1, neck.fpnHiddenSize], { init: normal(NO_MEMORY_STD) });
  }

  /**
   * For `apply`: encodes images and decodes masks for boxes, in evaluation mode.
   *
   * @param inputs - `pixelValues`, and `boxes` where they are asked for, as for {@link encodeImage} and {@link decodeMasks}.
   * @param kwargs - other inputs of {@link decodeMasks}. Default: one mask a prompt.
   * @returns `predMasks`, `iouScores` and `objectScoreLogits`.
   * @throws Error for another number of tensors.
   */
  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: Partial<DecodeInputs> = {}): tf.Tensor[] {
    const given = Array.isArray(inputs) ? inputs : [inputs];
    if (given.length < 1 || given.length > 2)
      throw new Error(`${this.name}: expected pixelValues or [pixelValues, boxes], got ${given.length} tensors`);
    const [pixelValues, boxes] = given as [tf.Tensor4D, tf.Tensor3D?];
    return tf.tidy(() => {
      const features = this.encodeImage(pixelValues, inference);
      const { predMasks, iouScores, objectScoreLogits } = this.decodeMasks(
        { multimask: false, boxes, ...kwargs, features },
        inference,
      );
      return [predMasks, iouScores, objectScoreLogits];
    });
  }

  override getConfig(): ConfigDict {
    return { ...super.getConfig(), config: this.config as unknown as ConfigDict };
  }

  static override fromConfig<T extends Serializable>(_class: SerializableClass<T>, config: ConfigDict): T {
    return Module.restored(new Sam2(config['config'] as unknown as Sam2Config), config);
  }

  /**
   * Under a recording context the result belongs to it, otherwise to the caller.
   *
   * @param pixelValues - [B, S, S, channels] f32, normalised, where S is the configured image size.
   * @throws SonogroundError when the images have another size, or maps of the backbone are inconsistent.
   */
  encodeImage(pixelValues: tf.Tensor4D, context: ForwardContext): Sam2ImageFeatures {
    return this.encode(pixelValues, this.noMemoryEmbedding, context);
  }

  /** {@link encodeImage} with another embedding in place of "no memory", or none. */
  protected encode(pixelValues: tf.Tensor4D, added: Parameter | undefined, context: ForwardContext): Sam2ImageFeatures {
    const { imageSize } = this.config.promptEncoder;
    assertShape(pixelValues, [null, imageSize, imageSize, this.config.backbone.numChannels], 'Sam2 pixelValues');
    const { convS0, convS1 } = this.maskDecoder;
    const owners = added === undefined ? [convS0, convS1] : [convS0, convS1, added];
    return tf.tidy(() => {
      const [fine, middle, coarse] = this.visionEncoder.forward(pixelValues, context) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
      return context.block(owners, { fine, middle, coarse }, (x) => ({
        highRes0: convS0.forward(x.fine), // [B, 4h, 4w, C / 8]
        highRes1: convS1.forward(x.middle), // [B, 2h, 2w, C / 4]
        embeddings: added === undefined ? x.coarse.clone() : (tf.add(x.coarse, added.value) as tf.Tensor4D), // [B, h, w, C]
      }));
    });
  }

  /**
   * Predicts masks for N prompts on each of B images. Without a box or a point, predicts one mask for the whole image. Under a
   * recording context the result belongs to it, otherwise to the caller.
   *
   * @throws SonogroundError when a shape is wrong, the numbers of boxes and sets of points differ, points have no labels, or an
   * earlier mask is not four times the size of the features.
   */
  decodeMasks(inputs: DecodeInputs, context: ForwardContext): MaskOutputs {
    return tf.tidy(() => {
      const { tokens: _, ...outputs } = this.decode(inputs, context);
      return outputs as unknown as tf.TensorContainer;
    }) as unknown as MaskOutputs;
  }

  /** {@link decodeMasks} with the decoder's tokens. */
  protected decode({ features, boxes, points, labels, masks, multimask }: DecodeInputs, context: ForwardContext): TokenOutputs {
    const [b, h, w, c] = features.embeddings.shape;
    checkPrompts({ boxes, points, labels }, b, 'Sam2.decodeMasks');
    if (masks !== undefined) assertShape(masks, [b, 4 * h, 4 * w, 1], 'Sam2 masks');
    const asked: Prompts = boxes === undefined && points === undefined ? noPrompt(b) : { boxes, points, labels };
    const imagePositions = this.sharedImageEmbedding.grid(this.promptEncoder.mapSize, this.promptEncoder.mapSize); // [h * w, C]
    const owners = [this.promptEncoder, ...this.maskDecoder.tokenOwners];
    const { tokens, image } = context.block(owners, { embeddings: features.embeddings, masks, ...asked }, (x) => {
      const prompt = this.promptEncoder.tokens(x); // [B, N, T, C]
      const dense = tf.add(x.embeddings, this.promptEncoder.dense(x.masks)) as tf.Tensor4D; // [B, h, w, C]
      const rows = prompt.shape[0] * prompt.shape[1];
      return {
        tokens: this.maskDecoder.withOwnTokens(prompt), // [B * N, own + T, C]
        image: tf.reshape(perPrompt(dense, rows), [rows, h * w, c]) as tf.Tensor3D, // [B * N, h * w, C]
      };
    });
    const { highRes0, highRes1 } = features;
    return this.maskDecoder.forward({ tokens, image, imagePositions, highRes0, highRes1, size: [h, w], multimask }, context);
  }

  /**
   * Embedding of an earlier mask, to be added to an image's features: {@link decodeMasks} with the sum as `embeddings`, and
   * without `masks`, is equivalent to passing `masks`. A graph of the decoder therefore needs no second signature.
   *
   * @param masks - [B, 4h, 4w, 1] f32: logits.
   * @returns [B, h, w, C] f32.
   */
  embedMasks(masks: tf.Tensor4D): tf.Tensor4D {
    return tf.tidy(() => tf.sub(this.promptEncoder.dense(masks), this.promptEncoder.dense(undefined)) as tf.Tensor4D);
  }
}

/** Backbone and neck, under their checkpoint names. */
class VisionEncoder extends TensorLayer {
  private readonly backbone: Hiera;
  private readonly neck: Neck;

  constructor({ backbone, neck }: Sam2Config) {
    super();
    this.backbone = this.child('backbone', new Hiera(backbone));
    this.neck = this.child('neck', new Neck(neck));
  }

  forward(pixelValues: tf.Tensor4D, context: ForwardContext): tf.Tensor4D[] {
    return this.neck.forward(this.backbone.forward(pixelValues, context), context);
  }
}

/** A single point per image labelled as "not a point". */
function noPrompt(b: number): Prompts {
  return { points: tf.zeros([b, 1, 1, 2]), labels: tf.fill([b, 1, 1], -1, 'int32') };
}
