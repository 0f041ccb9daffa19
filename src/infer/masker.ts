import type { BinaryMask, BoxXyxy, RasterImage } from '../imaging/index.js';

/** A mask and how good its maker thinks it is. */
export interface MaskPrediction {
  /** On the image's own grid. */
  readonly mask: BinaryMask;
  /** The model's own estimate of the mask's IoU. */
  readonly score: number;
}

/** Turns boxes into masks. Another masker can stand in for SAM 2 and SAM by implementing this. */
export interface Masker {
  /** Prepares an image for any number of {@link predictBoxes} calls. */
  setImage(image: RasterImage): Promise<void>;
  /** One mask for each box, in their order. Boxes are in pixels of the image. */
  predictBoxes(boxesXyxyPx: readonly BoxXyxy[]): Promise<MaskPrediction[]>;
  /** Frees the model. */
  dispose(): void;
}
