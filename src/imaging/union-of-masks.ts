import type { BinaryMask } from './mask.js';

/** Union of masks on one grid. There must be at least one. */
export function unionOfMasks(masks: readonly BinaryMask[]): BinaryMask {
  const [first, ...rest] = masks;
  if (first === undefined) throw new RangeError('unionOfMasks: no mask was given');
  const data = Uint8Array.from(first.data);
  for (const mask of rest) for (const [i, value] of mask.data.entries()) if (value) data[i] = 1;
  return { width: first.width, height: first.height, data };
}
