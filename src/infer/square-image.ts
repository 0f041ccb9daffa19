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

/** An image in a masker's input format. */
interface PreparedImage {
  /** [1, S, S, 3] f32. */
  readonly pixelValues: tf.Tensor4D;
  /** Size of the image inside the square, in the model's pixels. The rest on the right and below is padding. */
  readonly placed: Size;
}

/** Transforms images into a masker's square input, and masks back. */
export interface SquareImage {
  /** Disposed by the caller. */
  prepare(image: RasterImage): PreparedImage;
  /** Resizes logits to the image's grid and thresholds them. */
  toImage(logits: MaskLogits, placed: Size, image: Size): BinaryMask;
}

/** SAM 2's transform: images are stretched to the model's square, masks are stretched back. */
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
 * SAM's transform, which keeps the aspect ratio: the longest side is resized to the model's input, and the square is zero-padded
 * on the right and below. Masks are mapped back accordingly.
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
