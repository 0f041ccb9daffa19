import { labelComponents, type MaskLogits } from '../../imaging/index.js';

/** Logits of a filled hole: just inside. */
const FILLED = 0.1;

/** Logits of what another object has: surely outside. */
const OTHERS = -10;

/**
 * Fills small holes.
 *
 * @param area - of the largest hole that is filled, in pixels of the logits.
 * @see SAM 2, `fill_holes_in_mask_scores`
 */
export function fillHoles(logits: MaskLogits, area: number): MaskLogits {
  const { width, height, data } = logits;
  const outside = Uint8Array.from(data, (value) => (value > 0 ? 0 : 1));
  const { labels, areas } = labelComponents({ width, height, data: outside });
  const filled = data.map((value, i) =>
    (areas[(labels[i] as number) - 1] ?? Number.POSITIVE_INFINITY) <= area ? FILLED : value,
  );
  return { width, height, data: filled };
}

/**
 * Leaves each pixel to the object with the highest logit there; of equal ones to the first.
 *
 * @see SAM 2, `_apply_non_overlapping_constraints`
 */
export function withoutOverlap(objects: readonly MaskLogits[]): MaskLogits[] {
  const best = (i: number) =>
    objects.reduce((most, { data }, k) => ((data[i] as number) > (objects[most]?.data[i] as number) ? k : most), 0);
  const owners = Int32Array.from(objects[0]?.data ?? [], (_, i) => best(i));
  return objects.map(({ width, height, data }, k) => ({
    width,
    height,
    data: data.map((value, i) => (owners[i] === k ? value : Math.min(value, OTHERS))),
  }));
}
