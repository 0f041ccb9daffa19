import type { ImageProcessor } from '../processing/index.js';
import { type ImageFeatures, ImagePredictor, type PromptableModel } from './image-predictor.js';
import { paddedImage } from './square-image.js';

/** What a predictor is made of. */
export interface SamImagePredictorOptions<F extends ImageFeatures> {
  readonly model: PromptableModel<F>;
  /** Brings the longest side of an image to the model's: `size: {longest_edge: 1024}`. */
  readonly imageProcessor: ImageProcessor;
  /** Side of the model's square input, in pixels: 1024 for the published models. */
  readonly imageSize: number;
}

/**
 * SAM and MedSAM. An image keeps its proportions: its longest side is brought to the model's, the rest of the square on the right
 * and below is zeros. Masks come back the same way.
 */
export class SamImagePredictor<F extends ImageFeatures> extends ImagePredictor<F> {
  constructor({ model, imageProcessor, imageSize }: SamImagePredictorOptions<F>) {
    super(model, paddedImage(imageProcessor, imageSize));
  }
}
