import type { BinaryMask, Size } from '../imaging/index.js';
import type { PointXy } from './mask-prompts.js';
import type { Masker, MaskPrediction } from './masker.js';

/** A point that marks what to segment. */
export interface MarkedPoint {
  /** In pixels of the image. */
  readonly point: PointXy;
  /** Whether the point lies on the structure, or beside it. */
  readonly inside: boolean;
}

/** A mask predicted for a point. */
export interface PointMask extends MaskPrediction {
  /** On the model's own grid, before it was resized to the image's. */
  readonly ownGrid: BinaryMask;
}

/** Turns points into masks; a box counts as its centre. */
export interface PointMasker extends Masker {
  /** The model's own grid. */
  readonly grid: Size;
  /** Predicts one mask per point, in order. */
  predictPoints(points: readonly MarkedPoint[]): Promise<PointMask[]>;
}
