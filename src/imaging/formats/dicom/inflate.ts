import { inflateRawSync } from 'node:zlib';

/** Inflates a deflated data set. @param most - maximum inflated size in bytes. */
export function inflateDataSet(packed: Uint8Array, most: number): Uint8Array {
  return inflateRawSync(packed, { maxOutputLength: most });
}
