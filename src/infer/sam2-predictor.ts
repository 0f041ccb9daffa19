import type { Sam2, Sam2ImageFeatures } from '../models/sam2/index.js';
import type { ImageProcessor } from '../processing/index.js';
import { ImagePredictor } from './image-predictor.js';
import { stretchedImage } from './square-image.js';

/** Parts of a predictor. */
export interface Sam2ImagePredictorOptions {
  readonly model: Sam2;
  readonly imageProcessor: ImageProcessor;
}

/** Predictor for SAM 2 on still images. Images are stretched to the model's square, masks are stretched back. */
export class Sam2ImagePredictor extends ImagePredictor<Sam2ImageFeatures> {
  constructor({ model, imageProcessor }: Sam2ImagePredictorOptions) {
    super(model, stretchedImage(imageProcessor));
  }
}
