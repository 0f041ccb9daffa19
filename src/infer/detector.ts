import { tf } from '../backend/index.js';
import type { RasterImage } from '../imaging/index.js';
import type { EncodedImage, GroundingDino } from '../models/grounding-dino/index.js';
import { InferencePasses, inference } from '../nn/index.js';
import {
  type Detection,
  type ImageProcessor,
  mostDetections,
  type QueryAnswers,
  type SelectOptions,
  selectDetections,
} from '../processing/index.js';
import type { EncodedPrompt, PromptTokenizer } from '../prompts/index.js';
import { PromptCache } from './prompt-cache.js';

/** Finds the structures that phrases name. Implement it to replace Grounding DINO. */
export interface Detector {
  /**
   * @param phrases - the structures to find; each detection carries one of them verbatim.
   * @returns boxes in pixels of the image, best first.
   */
  detect(image: RasterImage, phrases: readonly string[], options?: Partial<SelectOptions>): Promise<Detection[]>;
  /** Frees the model. */
  dispose(): void;
}

/** A loaded model with its tokenizer and image processor. */
export interface GroundingDinoPredictorOptions {
  readonly model: GroundingDino;
  readonly tokenizer: PromptTokenizer;
  readonly imageProcessor: ImageProcessor;
}

/**
 * Predicts boxes in pixels from an image and phrases. Owns its model.
 *
 * Encoded prompts and the last encoded image are cached: another prompt on the same image object does not run the backbone again.
 * Phrases that do not fit into one prompt are split over several passes, each selecting boxes for its own phrases.
 */
export class GroundingDinoPredictor implements Detector, Disposable {
  private readonly model: GroundingDino;
  private readonly tokenizer: PromptTokenizer;
  private readonly imageProcessor: ImageProcessor;
  private readonly passes: InferencePasses;
  private readonly prompts: PromptCache;
  private current: { readonly image: RasterImage; readonly encoded: EncodedImage } | undefined;

  constructor({ model, tokenizer, imageProcessor }: GroundingDinoPredictorOptions) {
    this.model = model;
    this.tokenizer = tokenizer;
    this.imageProcessor = imageProcessor;
    this.passes = new InferencePasses(model);
    this.prompts = new PromptCache(model, this.passes);
  }

  async detect(image: RasterImage, phrases: readonly string[], options: Partial<SelectOptions> = {}): Promise<Detection[]> {
    const found: Detection[] = [];
    for (const prompt of this.tokenizer.encodeAll(phrases)) {
      const answers = await this.ask(image, prompt);
      found.push(...selectDetections(answers, prompt, { ...options, threshold: options.threshold ?? 0.3 }, image));
    }
    await this.passes.settle();
    found.sort((a, b) => b.score - a.score);
    return found.slice(0, mostDetections(options));
  }

  private async ask(image: RasterImage, prompt: EncodedPrompt): Promise<QueryAnswers> {
    const encoded = this.encode(image);
    const text = this.prompts.encode(prompt);
    const answer = this.passes.run('detect', { encoded, text }, (given) => {
      const { layers } = this.model.detect(given.encoded, given.text, inference);
      return layers.at(-1) as NonNullable<(typeof layers)[number]>;
    });
    const [logits, boxes] = await Promise.all([answer.logits.data<'float32'>(), answer.predBoxes.data<'float32'>()]);
    tf.dispose({ ...answer });
    return { logits, boxes };
  }

  private encode(image: RasterImage): EncodedImage {
    if (this.current?.image === image) return this.current.encoded;
    this.release();
    const { pixelValues, pixelMask } = this.imageProcessor.process([image]);
    // A single image is never padded.
    const encoded = this.passes.run('image', { pixelValues }, (given) => this.model.encodeImage(given, inference));
    tf.dispose([pixelValues, pixelMask]);
    this.current = { image, encoded };
    return encoded;
  }

  /** Drops the cached prompts and image; required after the model's weights have changed. */
  forget(): void {
    this.release();
    this.prompts.dispose();
    this.passes.dispose();
  }

  private release(): void {
    if (this.current !== undefined) tf.dispose(this.current.encoded as unknown as tf.TensorContainer);
    this.current = undefined;
  }

  /** Frees the model. */
  dispose(): void {
    this.forget();
    this.model.dispose();
  }

  /** Same as {@link dispose}, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
