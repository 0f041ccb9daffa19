import type { BinaryMask, BoxXyxy } from '../imaging/index.js';
import { boxIou, diceCoefficient } from '../metrics/index.js';

/** Minimum IoU at which a box matches an instance. */
const FINDS = 0.5;

interface Boxed {
  readonly boxXyxyPx: BoxXyxy;
}

/** Number of ground-truth instances matched by boxes; greedy, best box first, at most one instance per box. */
export function foundInstances(boxes: readonly Boxed[], truth: readonly Boxed[]): number {
  const left = new Set(truth.keys());
  for (const { boxXyxyPx } of boxes) {
    const overlaps = [...left].map((k) => ({ k, overlap: boxIou(boxXyxyPx, (truth[k] as Boxed).boxXyxyPx) }));
    const best = overlaps.reduce((a, b) => (b.overlap > a.overlap ? b : a), { k: -1, overlap: 0 });
    if (best.overlap >= FINDS) left.delete(best.k);
  }
  return truth.length - left.size;
}

/**
 * Mean DSC over instances: each ground-truth instance is matched with one mask, best pairs first; unmatched instances and masks
 * count
 * 0. NaN if there are neither.
 */
export function instanceDsc(masks: readonly BinaryMask[], truth: readonly BinaryMask[]): number {
  const pairs = masks
    .flatMap((mask, i) => truth.map((other, k) => ({ i, k, dsc: diceCoefficient(mask, other) })))
    .filter(({ dsc }) => dsc > 0)
    .sort((a, b) => b.dsc - a.dsc);
  const [usedMasks, usedTruth] = [new Set<number>(), new Set<number>()];
  let sum = 0;
  for (const { i, k, dsc } of pairs) {
    if (usedMasks.has(i) || usedTruth.has(k)) continue;
    usedMasks.add(i);
    usedTruth.add(k);
    sum += dsc;
  }
  return sum / (truth.length + masks.length - usedMasks.size);
}
