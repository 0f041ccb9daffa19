import type { MaskPixels } from './mask.js';
import { assertSameGrid } from './mask.js';
import { type BoxCorners, boxIou } from './overlap.js';
import { mean, quantile } from './statistics.js';

/** A prediction that ignores the image, as a baseline. */
export interface ConstantGuess<T> {
  readonly guess: T;
  /** Its mean score over the data that it was derived from, a fraction in [0, 1]. */
  readonly score: number;
}

/**
 * Finds the mask with the highest mean Dice among those containing the pixels covered by at least k of the n masks.
 *
 * @param masks - at least one, all on one grid.
 * @param ks - the values of k to try. Default: all from 1 to n.
 * @throws RangeError when there is none. @throws SonogroundError when grids differ.
 */
export function bestConstantMask(
  masks: readonly MaskPixels[],
  ks?: readonly number[],
): ConstantGuess<MaskPixels & { readonly data: Uint8Array }> {
  const [first] = masks;
  if (first === undefined) throw new RangeError('bestConstantMask: no mask was given');
  const counts = new Uint32Array(first.data.length);
  for (const mask of masks) {
    assertSameGrid(mask, first);
    for (let i = 0; i < counts.length; i++) if (mask.data[i] !== 0) counts[i] = (counts[i] as number) + 1;
  }
  const levels = [...new Set(ks ?? counts)].filter((level) => level > 0);
  const guessed = fromEach(counts, masks.length);
  const shared = masks.map(({ data }) => fromEach(counts, masks.length, data));
  const candidates = (levels.length === 0 ? [1] : levels).map((level) => ({
    level,
    // The Dice coefficient, from the pixels that the guess, the mask and both cover.
    score: mean(
      shared.map((own) => {
        const sum = at(guessed, level) + at(own, 0);
        return sum === 0 ? 1 : (2 * at(own, level)) / sum;
      }),
    ),
  }));
  const { level, score } = candidates.reduce((best, candidate) => (candidate.score > best.score ? candidate : best));
  return {
    guess: { width: first.width, height: first.height, data: Uint8Array.from(counts, (n) => Number(n >= level)) },
    score,
  };
}

/** For each k up to `most`, the number of pixels with a count of at least k, of all or of those in a mask. */
function fromEach(counts: Uint32Array, most: number, mask?: ArrayLike<number>): Uint32Array {
  const pixels = new Uint32Array(most + 1);
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i] as number;
    if (mask === undefined || mask[i] !== 0) pixels[count] = (pixels[count] as number) + 1;
  }
  for (let k = most - 1; k >= 0; k--) pixels[k] = (pixels[k] as number) + (pixels[k + 1] as number);
  return pixels;
}

/** The pixels from a level on; a level need not be an integer, nor reached. */
function at(pixels: Uint32Array, level: number): number {
  return pixels[Math.ceil(level)] ?? 0;
}

/** Step sizes of the search, as fractions of the boxes' mean size. */
const STEPS = [0.2, 0.1, 0.05, 0.02, 0.01];

/**
 * Finds a box with a high mean IoU: the best of the given boxes, their mean and their median, then improved by moving its sides.
 * A local optimum, which suffices for a baseline.
 *
 * @param boxes - at least one, in a common unit (fractions of the image if images differ in size).
 * @throws RangeError when there is none.
 */
export function bestConstantBox(boxes: readonly BoxCorners[]): ConstantGuess<BoxCorners> {
  if (boxes.length === 0) throw new RangeError('bestConstantBox: no box was given');
  const judge = (guess: BoxCorners) => ({ guess, score: mean(boxes.map((box) => boxIou(guess, box))) });
  const sides = ([0, 1, 2, 3] as const).map((side) => boxes.map((box) => box[side]));
  const centre = (pick: (values: number[]) => number) => sides.map(pick) as unknown as BoxCorners;
  const starts = [...boxes, centre(mean), centre((values) => quantile(values, 0.5))].map(judge);
  let best = starts.reduce((a, b) => (b.score > a.score ? b : a));
  const size = mean(boxes.map(([x0, y0, x1, y1]) => (x1 - x0 + y1 - y0) / 2));
  for (const step of STEPS) {
    for (let moved = true; moved; ) {
      moved = false;
      for (const [side, sign] of MOVES) {
        const next = judge(
          best.guess.map((value, i) => (i === side ? value + sign * step * size : value)) as unknown as BoxCorners,
        );
        if (next.score <= best.score) continue;
        best = next;
        moved = true;
      }
    }
  }
  return best;
}

const MOVES = [0, 1, 2, 3].flatMap((side) => [[side, 1] as const, [side, -1] as const]);
