import type { ImageProcessor } from '../processing/index.js';
import { type ImageFeatures, ImagePredictor, type PromptableModel } from './image-predictor.js';
import { paddedImage } from './square-image.js';

/** Parts of a predictor. */
export interface SamImagePredictorOptions<F extends ImageFeatures> {
  readonly model: PromptableModel<F>;
  /** Resizes the longest side of an image to the model's: `size: {longest_edge: 1024}`. */
  readonly imageProcessor: ImageProcessor;
  /** Side of the model's square input, in pixels: 1024 for the published models. */
  readonly imageSize: number;
}

/**
 * Predictor for SAM and MedSAM. Keeps the aspect ratio: the longest side is resized to the model's input, and the square is
 * zero-padded on the right and below. Masks are mapped back accordingly.
 */
export class SamImagePredictor<F extends ImageFeatures> extends ImagePredictor<F> {
  constructor({ model, imageProcessor, imageSize }: SamImagePredictorOptions<F>) {
    super(model, paddedImage(imageProcessor, imageSize));
  }
}
