import type { tf } from '../backend/index.js';
import { type RasterImage, resizeImage, type Size } from '../imaging/index.js';
import { ImageProcessor } from './image-processor.js';

/** CLIP's mean and standard deviation of each channel, of pixels in [0, 1]. */
const CLIP = { image_mean: [0.48145466, 0.4578275, 0.40821073], image_std: [0.26862954, 0.26130258, 0.27577711] };

/** The part of an image that CLIP is shown. */
export interface CentreCrop {
  /** Size of the whole image when its shorter side is the model's. */
  readonly resized: Size;
  /** Position of the square in the resized image. */
  readonly left: number;
  readonly top: number;
}

/** The centre crop of an image for a model with square inputs. The rest of an image that is not square is never seen. */
export function centreCrop({ width, height }: Size, side: number): CentreCrop {
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  const other = Math.trunc((side * long) / short);
  const resized = width < height ? { width: side, height: other } : { width: other, height: side };
  return { resized, left: Math.floor((resized.width - side) / 2), top: Math.floor((resized.height - side) / 2) };
}

/**
 * The centre crop of an image as CLIP's processor prepares it: the shorter side is resized (Pillow's bicubic) to the model's.
 *
 * @param side - of the model's input, in pixels.
 * @returns [1, side, side, 3] f32, normalised; disposed by the caller.
 */
export function clipPixels(image: RasterImage, side: number): tf.Tensor4D {
  const { resized, left, top } = centreCrop(image, side);
  const whole = resizeImage(image, resized, 'bicubic');
  const data = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    const from = ((top + y) * whole.width + left) * 3;
    data.set(whole.data.subarray(from, from + side * 3), y * side * 3);
  }
  const processor = ImageProcessor.of({ do_resize: false, size: { width: side, height: side }, ...CLIP });
  const { pixelValues, pixelMask } = processor.process([{ width: side, height: side, data }]);
  pixelMask.dispose();
  return pixelValues;
}
