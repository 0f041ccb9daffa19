import type { BinaryMask, BoxXyxy } from '../imaging/index.js';

/** Stands for everything that an image shows, where a method does not tell phrases apart. */
export const WHOLE = '*';

/** A box that a method answered with, however little it thought of it. */
export interface AnsweredBox {
  /** One of the phrases that were asked, or `WHOLE`. */
  readonly phrase: string;
  /** The method's confidence, in [0, 1]. */
  readonly score: number;
  /** Left, top, right, bottom in pixels of the image. */
  readonly boxXyxyPx: BoxXyxy;
  /** On the image's own grid; absent for boxes that no protocol looks into. */
  readonly mask?: BinaryMask;
  /** The masker's own estimate of the mask's IoU, where it makes one. */
  readonly maskScore?: number;
}

/** What a method says about one image and one prompt: boxes, best first. */
export type Answer = readonly AnsweredBox[];

/** Which of a phrase's boxes count. */
export interface Counting {
  /** Score from which a box counts. */
  readonly threshold: number;
  /** Whether all boxes from the threshold on count, or the best of each phrase. */
  readonly select: 'all' | 'best-per-phrase';
}

/** The boxes of a phrase that count, best first. */
export function countedBoxes(answer: Answer, phrase: string, { threshold, select }: Counting): AnsweredBox[] {
  const counted = answer.filter((box) => box.phrase === phrase && box.score >= threshold);
  return select === 'best-per-phrase' ? counted.slice(0, 1) : counted;
}
