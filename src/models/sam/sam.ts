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
import { checkPrompts, PositionEmbedding, type Prompts, perPrompt } from '../sam-common/index.js';
import { Vit } from '../vit/index.js';
import type { SamConfig } from './config.js';
import { MaskDecoder, type SamMaskOutputs } from './mask-decoder.js';
import { PromptEncoder } from './prompt-encoder.js';

/** Image features, independent of the prompts. */
export interface SamImageFeatures {
  /** [B, h, w, C] f32. */
  readonly embeddings: tf.Tensor4D;
}

/** An encoder of square images. */
type ImageEncoder = Module & {
  /** [B, S, S, channels] f32 to [B, h, w, C] f32. */
  forward(pixelValues: tf.Tensor4D, context: ForwardContext): tf.Tensor4D;
};

/** Inputs of the decoder. */
export interface SamDecodeInputs extends Prompts {
  readonly features: SamImageFeatures;
  /** [B, 4h, 4w, 1] f32: logits of an earlier mask. */
  readonly masks?: tf.Tensor4D | undefined;
  /** Predict several masks per prompt instead of one. */
  readonly multimask: boolean;
}

/**
 * SAM: an image encoder that runs once per image, and a decoder that turns boxes and points into masks.
 *
 * @see Kirillov et al. 2023, Segment Anything; transformers' `SamModel`, whose checkpoint keys are the paths here
 */
export class Sam extends Module {
  readonly config: SamConfig;
  private readonly sharedImageEmbedding: PositionEmbedding;
  private readonly visionEncoder: ImageEncoder;
  private readonly promptEncoder: PromptEncoder;
  private readonly maskDecoder: MaskDecoder;

  /** @param encoder - of the sizes in `config.vision`. Default: SAM's. */
  constructor(config: SamConfig, encoder: ImageEncoder = new Vit(config.vision)) {
    super();
    const { vision, promptEncoder, maskDecoder } = config;
    this.config = config;
    const places = new PositionEmbedding(vision.numPosFeats, Math.floor(vision.hiddenSize / 2));
    this.sharedImageEmbedding = this.child('shared_image_embedding', places);
    this.visionEncoder = this.child('vision_encoder', encoder);
    this.promptEncoder = this.child('prompt_encoder', new PromptEncoder(promptEncoder, places));
    this.maskDecoder = this.child('mask_decoder', new MaskDecoder(maskDecoder));
  }

  /**
   * For `apply`: encodes images and decodes masks for boxes, in evaluation mode.
   *
   * @param inputs - `pixelValues`, and `boxes` where they are asked for, as for {@link encodeImage} and {@link decodeMasks}.
   * @param kwargs - other inputs of {@link decodeMasks}. Default: one mask a prompt.
   * @returns `predMasks` and `iouScores`.
   * @throws Error for another number of tensors.
   */
  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: Partial<SamDecodeInputs> = {}): tf.Tensor[] {
    const given = Array.isArray(inputs) ? inputs : [inputs];
    if (given.length < 1 || given.length > 2)
      throw new Error(`${this.name}: expected pixelValues or [pixelValues, boxes], got ${given.length} tensors`);
    const [pixelValues, boxes] = given as [tf.Tensor4D, tf.Tensor3D?];
    return tf.tidy(() => {
      const features = this.encodeImage(pixelValues, inference);
      const { predMasks, iouScores } = this.decodeMasks({ multimask: false, boxes, ...kwargs, features }, inference);
      return [predMasks, iouScores];
    });
  }

  override getConfig(): ConfigDict {
    return { ...super.getConfig(), config: this.config as unknown as ConfigDict };
  }

  static override fromConfig<T extends Serializable>(_class: SerializableClass<T>, config: ConfigDict): T {
    return Module.restored(new Sam(config['config'] as unknown as SamConfig), config);
  }

  /**
   * Under a recording context the result belongs to it, otherwise to the caller.
   *
   * @param pixelValues - [B, S, S, channels] f32, normalised, where S is the configured image size; zeros in the padding.
   * @throws SonogroundError when the images have another size.
   */
  encodeImage(pixelValues: tf.Tensor4D, context: ForwardContext): SamImageFeatures {
    const { imageSize, numChannels } = this.config.vision;
    assertShape(pixelValues, [null, imageSize, imageSize, numChannels], 'Sam pixelValues');
    return tf.tidy(() => ({ embeddings: this.visionEncoder.forward(pixelValues, context) }));
  }

  /**
   * Predicts masks for N prompts on each of B images. Without a box or a point, predicts one mask for the whole image. Under a
   * recording context the result belongs to it, otherwise to the caller.
   *
   * @throws SonogroundError when a shape is wrong, the numbers of boxes and sets of points differ, points have no labels, or an
   * earlier mask is not four times the size of the features.
   */
  decodeMasks({ features, boxes, points, labels, masks, multimask }: SamDecodeInputs, context: ForwardContext): SamMaskOutputs {
    const [b, h, w, c] = features.embeddings.shape;
    checkPrompts({ boxes, points, labels }, b, 'Sam.decodeMasks');
    if (masks !== undefined) assertShape(masks, [b, 4 * h, 4 * w, 1], 'Sam masks');
    return tf.tidy(() => {
      const imagePositions = this.sharedImageEmbedding.grid(h, w); // [h * w, C]
      const owners = [this.promptEncoder, ...this.maskDecoder.tokenOwners];
      const inputs = { embeddings: features.embeddings, masks, boxes, points, labels };
      const { tokens, image } = context.block(owners, inputs, (x) => {
        const asked = x.boxes !== undefined || x.points !== undefined;
        const prompt = asked ? this.promptEncoder.tokens(x) : tf.zeros<tf.Rank.R4>([b, 1, 0, c]); // [B, N, T, C]
        const dense = tf.add(x.embeddings, this.promptEncoder.dense(x.masks)) as tf.Tensor4D; // [B, h, w, C]
        const rows = prompt.shape[0] * prompt.shape[1];
        return {
          tokens: this.maskDecoder.withOwnTokens(prompt), // [B * N, own + T, C]
          image: tf.reshape(perPrompt(dense, rows), [rows, h * w, c]) as tf.Tensor3D, // [B * N, h * w, C]
        };
      });
      const outputs = this.maskDecoder.forward({ tokens, image, imagePositions, size: [b, h, w], multimask }, context);
      return outputs as unknown as tf.TensorContainer;
    }) as unknown as SamMaskOutputs;
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
