import { tf } from '../../backend/index.js';
import { type ConfigDict, type ForwardContext, Module, type Serializable, type SerializableClass } from '../../nn/index.js';
import { FocalNet } from '../focalnet/index.js';
import type { BiomedParseConfig } from './config.js';
import { PixelDecoder } from './pixel-decoder.js';
import { type BiomedParseImage, type BiomedParseQueries, SeemDecoder } from './seem-decoder.js';
import type { BiomedParseText } from './text-encoder.js';

/** Masks of all queries, and how alike queries and texts are. */
export interface BiomedParseOutputs extends BiomedParseQueries {
  /** [B, Q, H / 4, W / 4] f32, logits. */
  readonly predMasks: tf.Tensor4D;
  /** [B, Q, N] f32. */
  readonly similarity: tf.Tensor3D;
}

/**
 * BiomedParse, version 1: finds and segments what a text says. Of its queries, the one whose class embedding is most like the text
 * has the mask.
 *
 * @see Zhao et al. 2024, A foundation model for joint segmentation, detection and recognition of biomedical objects across nine
 *   modalities; microsoft/BiomedParse at 750eb40, `modeling/architectures/seem_model_demo.py`
 */
export class BiomedParse extends Module {
  readonly config: BiomedParseConfig;
  private readonly backbone: FocalNet;
  private readonly pixelDecoder: PixelDecoder;
  private readonly decoder: SeemDecoder;

  constructor(config: BiomedParseConfig) {
    super();
    this.config = config;
    this.backbone = this.child('backbone', new FocalNet(config.backbone));
    this.pixelDecoder = this.child('sem_seg_head.pixel_decoder', new PixelDecoder(config, this.backbone.channels));
    this.decoder = this.child('sem_seg_head.predictor', new SeemDecoder(config));
  }

  /**
   * Encodes images, for any number of texts.
   *
   * @param pixelValues - [B, H, W, 3] f32, normalised; sides are multiples of 32.
   * @throws SonogroundError when the sides are not.
   */
  encodeImage(pixelValues: tf.Tensor4D, context: ForwardContext): BiomedParseImage {
    return tf.tidy(() => {
      const stages = this.backbone.forward(pixelValues, context);
      return this.decoder.prepare(this.pixelDecoder.forward(stages, context), context);
    });
  }

  /**
   * Encodes a text, for any number of images.
   *
   * @param inputIds - [1, T] i32, from its first token to its end.
   */
  encodeText(inputIds: tf.Tensor2D, context: ForwardContext): BiomedParseText {
    return this.decoder.language.forward(inputIds, context);
  }

  /**
   * Decodes one text; or several in one prompt, as the authors' code does with the phrases of a list: the tokens of each then
   * see those of the others, and answers depend on what else is asked.
   *
   * @param image - of one image.
   */
  decode(
    image: BiomedParseImage,
    texts: readonly BiomedParseText[],
    context: ForwardContext,
  ): BiomedParseQueries & { similarity: tf.Tensor3D } {
    return tf.tidy(() => {
      const { tokens, sentences } = joined(texts, context);
      const queries = this.decoder.forward(image, tokens, context);
      const { language } = this.decoder;
      const given = { classEmbeds: queries.classEmbeds, sentences };
      const { similarity } = context.block(language.logitScale, given, (x) => ({
        similarity: language.similarity(x.classEmbeds, x.sentences), // [1, Q, N]
      }));
      return { ...queries, similarity };
    });
  }

  /**
   * @param maskEmbeds - [B, Q, mask size] f32.
   * @returns [B, Q, H / 4, W / 4] f32, logits.
   */
  masks(maskEmbeds: tf.Tensor3D, { maskFeatures }: Pick<BiomedParseImage, 'maskFeatures'>, context: ForwardContext): tf.Tensor4D {
    const [b, h, w, d] = maskFeatures.shape;
    return context.block([], { maskEmbeds, maskFeatures }, (given) => {
      const product = tf.matMul(given.maskEmbeds, tf.reshape(given.maskFeatures, [b, h * w, d]), false, true);
      return { masks: tf.reshape(product, [b, -1, h, w]) as tf.Tensor4D };
    }).masks;
  }

  /** Encodes an image and texts, and decodes all queries. */
  forward(
    { pixelValues, texts }: { readonly pixelValues: tf.Tensor4D; readonly texts: readonly tf.Tensor2D[] },
    context: ForwardContext,
  ): BiomedParseOutputs {
    return tf.tidy(() => {
      const image = this.encodeImage(pixelValues, context);
      const encoded = texts.map((inputIds) => this.encodeText(inputIds, context));
      const decoded = this.decode(image, encoded, context);
      return { ...decoded, predMasks: this.masks(decoded.maskEmbeds, image, context) };
    });
  }

  static override fromConfig<T extends Serializable>(_class: SerializableClass<T>, config: ConfigDict): T {
    return Module.restored(new BiomedParse(config['config'] as unknown as BiomedParseConfig), config);
  }

  override getConfig(): ConfigDict {
    return { ...super.getConfig(), config: this.config as unknown as ConfigDict };
  }
}

/** Texts as one: their tokens [1, T, C] one after the other, and the sentences [N, C] apart. */
function joined(texts: readonly BiomedParseText[], context: ForwardContext): { tokens: tf.Tensor3D; sentences: tf.Tensor2D } {
  const [first, ...more] = texts;
  if (first === undefined) throw new RangeError('BiomedParse.decode: there is no text');
  if (more.length === 0) return { tokens: first.tokens, sentences: first.sentence };
  const inputs = Object.fromEntries(
    texts.flatMap(({ tokens, sentence }, i) => [[`tokens${i}`, tokens] as const, [`sentence${i}`, sentence] as const]),
  );
  return context.block([], inputs, (given) => ({
    tokens: tf.concat(
      texts.map((_, i) => given[`tokens${i}`] as tf.Tensor3D),
      1,
    ),
    sentences: tf.concat(
      texts.map((_, i) => given[`sentence${i}`] as tf.Tensor2D),
      0,
    ),
  }));
}
