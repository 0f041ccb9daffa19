import type { BinaryMask } from '../imaging/index.js';

/** The ground truth of one image. */
export interface DetectionTarget {
  /** Centre and size of each object, as fractions of the image. */
  readonly boxesCxcywh: readonly (readonly [number, number, number, number])[];
  /** For each object, the tokens of its phrase, as positions in the prompt of its own image. */
  readonly tokens: readonly (readonly number[])[];
  /** The mask of each object, on the image's own grid; for the loss over cells. */
  readonly masks?: readonly BinaryMask[];
  /** Width and height of the image as fractions of the model's input. Default: 1, no padding. */
  readonly extent?: readonly [number, number];
}

/** The number of objects in a batch, at least 1. */
export function objectsIn(targets: readonly DetectionTarget[]): number {
  const count = targets.reduce((sum, { boxesCxcywh }) => sum + boxesCxcywh.length, 0);
  return Math.max(count, 1);
}
