import { tf } from '../backend/index.js';
import { type MaskLogits, maskLogitsToBinary, type RasterImage, resizeImage, type Size } from '../imaging/index.js';
import type { SamImageFeatures } from '../models/sam/index.js';
import type { SamParts } from '../pretrained/index.js';
import { ImageProcessor } from '../processing/index.js';
import { ImagePredictor } from './image-predictor.js';
import type { SquareImage } from './square-image.js';

/** How an image is fed to MedSAM. */
export interface MedSamOptions {
  /**
   * Feed the image as the published comparison of Grounding DINO-US-SAM did: transposed, and normalised with ImageNet's mean and
   * standard deviation, while boxes and masks keep their axes. Default: false, as MedSAM was trained.
   */
  readonly asPublished?: boolean | undefined;
}

/**
 * Predictor for MedSAM, a SAM ViT-B fine-tuned on boxes. Unlike SAM's, its images are stretched to a square and scaled to [0, 1]
 * by their own minimum and maximum, and its masks are resized as probabilities.
 *
 * Departs from the authors' script in the resizing filter: Pillow's bicubic instead of scikit-image's with a Gaussian before it.
 *
 * @see bowang-lab/MedSAM, `MedSAM_Inference.py`
 */
export class MedSamPredictor extends ImagePredictor<SamImageFeatures> {
  constructor({ model, config }: SamParts, { asPublished = false }: MedSamOptions = {}) {
    const side = config.vision.imageSize;
    super(model, medSamImage({ width: side, height: side }, asPublished ? transposedPixels : minMaxPixels));
  }
}

type Pixels = (image: RasterImage, square: Size) => tf.Tensor4D;

function medSamImage(square: Size, pixels: Pixels): SquareImage {
  return {
    prepare: (image) => ({ pixelValues: pixels(image, square), placed: square }),
    toImage: (logits, _placed, image) => maskLogitsToBinary(centredProbabilities(logits), image),
  };
}

/** [1, S, S, 3], each image scaled to [0, 1] over all its channels. */
function minMaxPixels(image: RasterImage, square: Size): tf.Tensor4D {
  const { data, width, height } = resizeImage(image, square, 'bicubic');
  let [low, high] = [255, 0];
  for (const value of data) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const range = Math.max(high - low, 1e-8);
  return tf.tensor4d(
    Float32Array.from(data, (value) => (value - low) / range),
    [1, height, width, 3],
  );
}

/** [1, S, S, 3] with rows and columns exchanged. */
function transposedPixels(image: RasterImage, square: Size): tf.Tensor4D {
  const { pixelValues, pixelMask } = stretchedProcessor(square).process([image]);
  const turned = tf.transpose(pixelValues, [0, 2, 1, 3]);
  tf.dispose([pixelValues, pixelMask]);
  return turned;
}

/** Stretches to a square and normalises with ImageNet's mean and standard deviation. */
function stretchedProcessor({ width, height }: Size): ImageProcessor {
  return ImageProcessor.of({ size: { width, height }, resample: 3 });
}

/** Probabilities minus ½, so that the inside is above 0 after interpolation too. */
function centredProbabilities({ data, ...size }: MaskLogits): MaskLogits {
  return { ...size, data: data.map((logit) => 1 / (1 + Math.exp(-logit)) - 0.5) };
}
