import { type BinaryMask, type Size, unionOfMasks } from '../../processing/index.js';
import type { Answer } from './answer.js';

/** Which of a phrase's boxes count. */
export interface Counting {
  readonly threshold: number;
  readonly select: 'all' | 'best';
}

/** What an answer takes for a phrase: the union of the masks that count, empty where there is none. */
export function combinedMask(
  answer: Answer,
  phrase: string,
  { threshold, select }: Counting,
  { width, height }: Size,
): BinaryMask {
  const counted = answer.filter((box) => box.phrase === phrase && box.score >= threshold);
  const masks = (select === 'best' ? counted.slice(0, 1) : counted).flatMap(({ mask }) => (mask === undefined ? [] : [mask]));
  return masks.length > 0 ? unionOfMasks(masks) : { width, height, data: new Uint8Array(width * height) };
}
