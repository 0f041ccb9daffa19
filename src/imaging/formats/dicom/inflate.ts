import { inflateRawSync } from 'node:zlib';

/** Unpacks a deflated data set. @param most - bytes to which it may grow. */
export function inflateDataSet(packed: Uint8Array, most: number): Uint8Array {
  return inflateRawSync(packed, { maxOutputLength: most });
}
