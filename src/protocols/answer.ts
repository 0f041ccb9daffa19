import type { BinaryMask, BoxXyxy } from '../imaging/index.js';

/** Label for the union of all structures in an image, for methods without class labels. */
export const WHOLE = '*';

/** A box predicted by a method, at any score. */
export interface AnsweredBox {
  /** One of the prompted phrases, or `WHOLE`. */
  readonly phrase: string;
  /** The method's confidence, in [0, 1]. */
  readonly score: number;
  /** Left, top, right, bottom in pixels of the image. */
  readonly boxXyxyPx: BoxXyxy;
  /** On the image's own grid; absent for boxes that no protocol uses. */
  readonly mask?: BinaryMask;
  /** The same mask on the method's own grid, before it was resized to the image's. Absent: it is the image's. */
  readonly ownGrid?: BinaryMask;
  /** The masker's estimate of the mask's IoU, if it provides one. */
  readonly maskScore?: number;
}

/** A method's prediction for one image and one prompt: boxes, best first. */
export type Answer = readonly AnsweredBox[];

/** Which boxes of a phrase count. */
export interface Counting {
  /** Minimum score of a box. */
  readonly threshold: number;
  /** Whether all boxes from the threshold on count, or only the best of each phrase. */
  readonly select: 'all' | 'best-per-phrase';
}

/** The boxes of a phrase that count, best first. */
export function countedBoxes(answer: Answer, phrase: string, { threshold, select }: Counting): AnsweredBox[] {
  const counted = answer.filter((box) => box.phrase === phrase && box.score >= threshold);
  return select === 'best-per-phrase' ? counted.slice(0, 1) : counted;
}
