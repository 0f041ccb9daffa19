import { tf } from '../backend/index.js';
import {
  type BinaryMask,
  type MaskLogits,
  maskLogitsToBinary,
  paddedMaskLogitsToBinary,
  type RasterImage,
  type Size,
} from '../imaging/index.js';
import type { ImageProcessor } from '../processing/index.js';

/** An image as a masker takes it. */
interface PreparedImage {
  /** [1, S, S, 3] f32. */
  readonly pixelValues: tf.Tensor4D;
  /** The part of the square that the image takes, in the model's pixels. The rest on the right and below is padding. */
  readonly placed: Size;
}

/** How images get into the square that a masker takes, and masks back out of it. */
export interface SquareImage {
  /** The caller disposes the tensor. */
  prepare(image: RasterImage): PreparedImage;
  /** Brings logits to the image's grid and thresholds them. */
  toImage(logits: MaskLogits, placed: Size, image: Size): BinaryMask;
}

/** As SAM 2 does it: images are stretched to the model's square, masks are stretched back. */
export function stretchedImage(imageProcessor: ImageProcessor): SquareImage {
  return {
    prepare(image) {
      const { pixelValues, pixelMask } = imageProcessor.process([image]);
      tf.dispose(pixelMask);
      const [, height, width] = pixelValues.shape;
      return { pixelValues, placed: { height, width } };
    },
    toImage: (logits, _placed, image) => maskLogitsToBinary(logits, image),
  };
}

/**
 * As SAM does it: an image keeps its proportions. Its longest side is brought to the model's, the rest of the square on the right
 * and below is zeros. Masks come back the same way.
 *
 * @param side - of the square, in pixels.
 */
export function paddedImage(imageProcessor: ImageProcessor, side: number): SquareImage {
  return {
    prepare(image) {
      const { pixelValues, pixelMask, sizes } = imageProcessor.process([image]);
      const [, height, width] = pixelValues.shape;
      // A processor with a pad_size has done this already.
      const padded = tf.pad(pixelValues, [
        [0, 0],
        [0, side - height],
        [0, side - width],
        [0, 0],
      ]);
      tf.dispose([pixelValues, pixelMask]);
      return { pixelValues: padded, placed: sizes[0] as Size };
    },
    toImage: (logits, placed, image) => paddedMaskLogitsToBinary(logits, side, placed, image),
  };
}
