import type { BinaryMask, RasterImage } from '../imaging/index.js';

/** An image with the mask of the structure to find in others. */
export interface Exemplar {
  readonly image: RasterImage;
  /** On the image's own grid, of any content but none at all. */
  readonly mask: BinaryMask;
}

/** A mask predicted from exemplars. */
export interface ExemplarMask {
  /** On the image's own grid. */
  readonly mask: BinaryMask;
  /** Mean probability of the pixels inside, in [0, 1]. Absent: the method has none. */
  readonly score?: number;
  /** On the grid of the model, before resizing. Absent: it is the image's. */
  readonly ownGrid?: BinaryMask;
}

/** Segments in an image what exemplars show in theirs. */
export interface ExemplarSegmenter {
  /** Predicts the mask of an image; the same array of exemplars may be passed for many images. */
  segment(image: RasterImage, exemplars: readonly Exemplar[]): Promise<ExemplarMask>;
  /** Frees the model. */
  dispose(): void;
}
