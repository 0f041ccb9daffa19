import { type BinaryMask, type Size, unionOfMasks } from '../../imaging/index.js';
import { type Answer, type Counting, countedBoxes } from '../../protocols/index.js';

/** The mask of a phrase: the union of the masks that count, empty if there are none. */
export function combinedMask(answer: Answer, phrase: string, counting: Counting, { width, height }: Size): BinaryMask {
  const masks = countedBoxes(answer, phrase, counting).flatMap(({ mask }) => (mask === undefined ? [] : [mask]));
  return masks.length > 0 ? unionOfMasks(masks) : { width, height, data: new Uint8Array(width * height) };
}
