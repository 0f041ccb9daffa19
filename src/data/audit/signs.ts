import { WORDS, wordsOf } from './fingerprint.js';

/** Concatenates the signs of many images, {@link WORDS} words each. */
export function packSigns(signs: readonly string[]): Uint32Array {
  const words = new Uint32Array(signs.length * WORDS);
  for (const [k, own] of signs.entries()) words.set(wordsOf(own), k * WORDS);
  return words;
}

/** The signs that image `k` would have if it were mirrored. */
export function mirrored(words: Uint32Array, k: number, mirror: Uint32Array): Uint32Array {
  return mirror.map((turned, w) => (words[k * WORDS + w] as number) ^ turned);
}

/** Number of signs in which image `k` differs from `own`; counting stops at `bound`. */
export function differing(words: Uint32Array, k: number, own: Uint32Array, bound: number): number {
  const at = k * WORDS;
  let sum = 0;
  for (let w = 0; w < WORDS && sum < bound; w++) {
    // Population count in parallel: pairs, fours, eights, then their sum in the top byte.
    let x = (words[at + w] as number) ^ (own[w] as number);
    x -= (x >>> 1) & 0x55555555;
    x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
    sum += Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  return sum;
}
