import type { BinaryMask } from './mask.js';

/** The pixels that belong to any of the masks, which share one grid. There is at least one mask. */
export function unionOfMasks(masks: readonly BinaryMask[]): BinaryMask {
  const [first, ...rest] = masks;
  if (first === undefined) throw new RangeError('unionOfMasks: no mask was given');
  const data = Uint8Array.from(first.data);
  for (const mask of rest) for (const [i, value] of mask.data.entries()) if (value) data[i] = 1;
  return { width: first.width, height: first.height, data };
}
