import { tf } from '../backend/index.js';
import type { GroundingDino } from '../models/grounding-dino/index.js';
import { inference } from '../nn/index.js';
import {
  collateText,
  type Detection,
  type ImageProcessor,
  type PromptTokenizer,
  type RasterImage,
  type SelectOptions,
  selectDetections,
} from '../processing/index.js';

/** Finds what phrases name. Another detector can stand in for Grounding DINO by implementing this. */
export interface Detector {
  /**
   * @param phrases - what to look for; each detection carries one of them, letter for letter.
   * @returns boxes in pixels of the image, best first.
   */
  detect(image: RasterImage, phrases: readonly string[], options?: Partial<SelectOptions>): Promise<Detection[]>;
  dispose(): void;
}

export interface GroundingDinoPredictorOptions {
  readonly model: GroundingDino;
  readonly tokenizer: PromptTokenizer;
  readonly imageProcessor: ImageProcessor;
}

/** Image and phrases in, boxes in pixels out. It owns its model. */
export class GroundingDinoPredictor implements Detector {
  private readonly model: GroundingDino;
  private readonly tokenizer: PromptTokenizer;
  private readonly imageProcessor: ImageProcessor;

  constructor({ model, tokenizer, imageProcessor }: GroundingDinoPredictorOptions) {
    this.model = model;
    this.tokenizer = tokenizer;
    this.imageProcessor = imageProcessor;
  }

  async detect(image: RasterImage, phrases: readonly string[], options: Partial<SelectOptions> = {}): Promise<Detection[]> {
    const prompt = this.tokenizer.encode(phrases);
    const answer = tf.tidy(() => {
      const { pixelValues, pixelMask } = this.imageProcessor.process([image]);
      const { layers } = this.model.forward({ pixelValues, pixelMask, ...collateText([prompt]) }, inference);
      return { ...(layers.at(-1) as NonNullable<(typeof layers)[number]>) };
    });
    const [logits, boxes] = await Promise.all([answer.logits.data<'float32'>(), answer.predBoxes.data<'float32'>()]);
    tf.dispose(answer);
    return selectDetections({ logits, boxes }, prompt, { boxThreshold: 0.3, ...options }, image);
  }

  dispose(): void {
    this.model.dispose();
  }
}
