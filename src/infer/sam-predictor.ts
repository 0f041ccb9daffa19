import { tf } from '../backend/index.js';
import {
  type BinaryMask,
  type ImageProcessor,
  type MaskLogits,
  paddedMaskLogitsToBinary,
  type RasterImage,
  type Size,
} from '../processing/index.js';
import { type ImageFeatures, ImagePredictor, type PreparedImage, type PromptableModel } from './image-predictor.js';

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
  private readonly imageProcessor: ImageProcessor;
  private readonly imageSize: number;

  constructor({ model, imageProcessor, imageSize }: SamImagePredictorOptions<F>) {
    super(model);
    this.imageProcessor = imageProcessor;
    this.imageSize = imageSize;
  }

  protected override prepare(image: RasterImage): PreparedImage {
    const { pixelValues, pixelMask, sizes } = this.imageProcessor.process([image]);
    const [, height, width] = pixelValues.shape;
    // A processor with a pad_size has done this already.
    const padded = tf.pad(pixelValues, [
      [0, 0],
      [0, this.imageSize - height],
      [0, this.imageSize - width],
      [0, 0],
    ]);
    tf.dispose([pixelValues, pixelMask]);
    return { pixelValues: padded, placed: sizes[0] as Size };
  }

  protected override toImage(logits: MaskLogits, placed: Size, image: Size): BinaryMask {
    return paddedMaskLogitsToBinary(logits, this.imageSize, placed, image);
  }
}
