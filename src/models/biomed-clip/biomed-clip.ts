import { tf } from '../../backend/index.js';
import {
  type ConfigDict,
  constant,
  type ForwardContext,
  Module,
  type Parameter,
  type Serializable,
  type SerializableClass,
} from '../../nn/index.js';
import type { BiomedClipConfig } from './config.js';
import { TextEncoder, type TextInputs } from './text-encoder.js';
import { VisionEncoder } from './vision-encoder.js';

/** ln(1 / 0.07), CLIP's. */
const INITIAL_LOGIT_SCALE = Math.log(1 / 0.07);

/** Images and texts to compare. */
export interface BiomedClipInputs extends TextInputs {
  /** [B, S, S, 3] f32, normalised. */
  readonly pixelValues: tf.Tensor4D;
}

/** What images and texts have in common. */
export interface BiomedClipOutputs {
  /** [B, features] f32, of length 1. */
  readonly imageEmbeds: tf.Tensor2D;
  /** [N, features] f32, of length 1. */
  readonly textEmbeds: tf.Tensor2D;
  /** [B, N] f32: cosines of images and texts, scaled. */
  readonly logitsPerImage: tf.Tensor2D;
}

/**
 * BiomedCLIP: an image encoder and a text encoder whose features are compared by their cosine.
 *
 * @see Zhang et al. 2023, BiomedCLIP; open_clip, whose checkpoint keys are the paths here
 */
export class BiomedClip extends Module {
  readonly config: BiomedClipConfig;
  readonly visual: VisionEncoder;
  readonly text: TextEncoder;
  private readonly logitScale: Parameter;

  constructor(config: BiomedClipConfig) {
    super();
    this.config = config;
    this.visual = this.child('visual', new VisionEncoder(config.vision, config.projectionDim));
    this.text = this.child('text', new TextEncoder(config));
    this.logitScale = this.parameter('logit_scale', [], { init: constant(INITIAL_LOGIT_SCALE) });
  }

  override getConfig(): ConfigDict {
    return { ...super.getConfig(), config: this.config as unknown as ConfigDict };
  }

  static override fromConfig<T extends Serializable>(_class: SerializableClass<T>, config: ConfigDict): T {
    return Module.restored(new BiomedClip(config['config'] as unknown as BiomedClipConfig), config);
  }

  /**
   * Compares each image with each text. Under a recording context the result belongs to it, otherwise to the caller.
   *
   * @throws SonogroundError when a shape is wrong.
   */
  forward({ pixelValues, ...texts }: BiomedClipInputs, context: ForwardContext): BiomedClipOutputs {
    return tf.tidy(() => {
      const image = this.visual.forward(pixelValues, context); // [B, features]
      const text = this.text.forward(texts, context); // [N, features]
      return this.compare(image, text, context) as unknown as tf.TensorContainer;
    }) as unknown as BiomedClipOutputs;
  }

  /**
   * Compares features of images and texts.
   *
   * @param image - [B, features] f32, of any length.
   * @param text - [N, features] f32, of any length.
   */
  compare(image: tf.Tensor2D, text: tf.Tensor2D, context: ForwardContext): BiomedClipOutputs {
    return context.block(this.logitScale, { image, text }, (x) => {
      const [imageEmbeds, textEmbeds] = [ofLengthOne(x.image), ofLengthOne(x.text)];
      const cosines = tf.matMul(imageEmbeds, textEmbeds, false, true);
      return { imageEmbeds, textEmbeds, logitsPerImage: tf.mul(cosines, tf.exp(this.logitScale.value)) as tf.Tensor2D };
    });
  }
}

/** Each row divided by its length. */
function ofLengthOne(rows: tf.Tensor2D): tf.Tensor2D {
  return tf.mul(rows, tf.rsqrt(tf.sum(tf.square(rows), -1, true)));
}
