import type { Rng } from '../../util/index.js';

/** A change of a whole segmentation task, of target and support alike, so that the model learns to read the support. */
export interface TaskChange {
  readonly mirrored: boolean;
  readonly flipped: boolean;
  readonly inverted: boolean;
  /** Exponent of all intensities. */
  readonly gamma: number;
  /** Segments all but the structure. */
  readonly outside: boolean;
}

/** Share of tasks with inverted intensities, and of those with inverted masks. */
const INVERTED = 0.1;

/** @see Butoi, Gonzalez Ortiz et al. 2023, UniverSeg, section 3.3 and its supplement: task augmentation */
export function drawTaskChange(rng: Rng): TaskChange {
  return {
    mirrored: rng.chance(0.5),
    flipped: rng.chance(0.5),
    inverted: rng.chance(INVERTED),
    gamma: Math.exp(rng.normal(0, 0.25)),
    outside: rng.chance(INVERTED),
  };
}

/**
 * Changes an image and its mask in place.
 *
 * @param grey - [side, side] in [0, 1].
 * @param mask - [side, side] of 0 and 1.
 */
export function changeTask(grey: Float32Array, mask: Float32Array, side: number, change: TaskChange): void {
  for (const map of [grey, mask]) {
    if (change.mirrored) for (let y = 0; y < side; y++) map.subarray(y * side, (y + 1) * side).reverse();
    // Reversing everything also mirrors each row, which is then mirrored back.
    if (change.flipped) {
      map.reverse();
      for (let y = 0; y < side; y++) map.subarray(y * side, (y + 1) * side).reverse();
    }
  }
  for (let i = 0; i < grey.length; i++) {
    const value = (grey[i] as number) ** change.gamma;
    grey[i] = change.inverted ? 1 - value : value;
    if (change.outside) mask[i] = 1 - (mask[i] as number);
  }
}
