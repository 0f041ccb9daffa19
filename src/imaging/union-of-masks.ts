import type { BinaryMask } from './mask.js';

/** Union of masks on one grid. There must be at least one. */
export function unionOfMasks(masks: readonly BinaryMask[]): BinaryMask {
  const [first, ...rest] = masks;
  if (first === undefined) throw new RangeError('unionOfMasks: no mask was given');
  const data = new Uint8Array(first.data);
  for (const mask of rest) for (let i = 0; i < data.length; i++) if (mask.data[i] !== 0) data[i] = 1;
  return { width: first.width, height: first.height, data };
}
