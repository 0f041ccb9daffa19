import type { BinaryMask, BoxXyxy, RasterImage } from '../imaging/index.js';

/** A mask and its estimated quality. */
export interface MaskPrediction {
  /** On the image's own grid. */
  readonly mask: BinaryMask;
  /** The model's IoU estimate. */
  readonly score: number;
}

/** Turns boxes into masks. Implement it to replace SAM 2 and SAM. */
export interface Masker {
  /** Prepares an image for any number of {@link predictBoxes} calls. */
  setImage(image: RasterImage): Promise<void>;
  /** Predicts one mask per box, in order. Boxes are in pixels of the image. */
  predictBoxes(boxesXyxyPx: readonly BoxXyxy[]): Promise<MaskPrediction[]>;
  /** Frees the model. */
  dispose(): void;
}
