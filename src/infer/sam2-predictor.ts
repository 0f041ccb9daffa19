import { tf } from '../backend/index.js';
import type { Sam2, Sam2ImageFeatures } from '../models/sam2/index.js';
import {
  type BinaryMask,
  type ImageProcessor,
  type MaskLogits,
  maskLogitsToBinary,
  type RasterImage,
  type Size,
} from '../processing/index.js';
import { ImagePredictor, type PreparedImage } from './image-predictor.js';

export interface Sam2ImagePredictorOptions {
  readonly model: Sam2;
  readonly imageProcessor: ImageProcessor;
}

/** SAM 2 on still images. Images are stretched to the model's square; masks are stretched back. */
export class Sam2ImagePredictor extends ImagePredictor<Sam2ImageFeatures> {
  private readonly imageProcessor: ImageProcessor;

  constructor({ model, imageProcessor }: Sam2ImagePredictorOptions) {
    super(model);
    this.imageProcessor = imageProcessor;
  }

  protected override prepare(image: RasterImage): PreparedImage {
    const { pixelValues, pixelMask } = this.imageProcessor.process([image]);
    tf.dispose(pixelMask);
    const [, height, width] = pixelValues.shape;
    return { pixelValues, placed: { height, width } };
  }

  protected override toImage(logits: MaskLogits, _placed: Size, image: Size): BinaryMask {
    return maskLogitsToBinary(logits, image);
  }
}
