import { countPixels, type MaskPixels } from './mask.js';

/** Dice coefficient, 2 |A∩B| / (|A| + |B|), as a fraction in [0, 1]. Two empty masks agree: 1. */
export function diceCoefficient(predicted: MaskPixels, truth: MaskPixels): number {
  const { predicted: a, truth: b, shared } = countPixels(predicted, truth);
  return a + b === 0 ? 1 : (2 * shared) / (a + b);
}

/** Intersection over union, |A∩B| / |A∪B|, as a fraction in [0, 1]. Two empty masks agree: 1. */
export function iou(predicted: MaskPixels, truth: MaskPixels): number {
  const { predicted: a, truth: b, shared } = countPixels(predicted, truth);
  return a + b === 0 ? 1 : shared / (a + b - shared);
}

/** Left, top, right, bottom, in any unit common to both boxes. */
export type BoxCorners = readonly [number, number, number, number];

/** Intersection over union of two boxes, a fraction in [0, 1]. Boxes without area have an IoU of 0. */
export function boxIou([ax0, ay0, ax1, ay1]: BoxCorners, [bx0, by0, bx1, by1]: BoxCorners): number {
  const width = Math.max(0, Math.min(ax1, bx1) - Math.max(ax0, bx0));
  const height = Math.max(0, Math.min(ay1, by1) - Math.max(ay0, by0));
  const shared = width * height;
  const joined = Math.max(0, ax1 - ax0) * Math.max(0, ay1 - ay0) + Math.max(0, bx1 - bx0) * Math.max(0, by1 - by0) - shared;
  return joined > 0 ? shared / joined : 0;
}
