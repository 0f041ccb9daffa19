import { MersenneTwister19937 } from 'random-js';

/**
 * Python's `random`, for splits made in Python: `random.seed(n)`, `random.shuffle(list)`.
 *
 * @see CPython's Modules/_randommodule.c (`random_seed`) and Lib/random.py (`_randbelow_with_getrandbits`, `shuffle`)
 */
export class PythonRandom {
  private readonly engine: MersenneTwister19937;

  /** @param seed - an integer from 0 to 2^53, as in `random.seed(seed)`. */
  constructor(seed: number) {
    // Python seeds with the number's 32-bit digits, lowest first.
    const high = Math.floor(seed / 2 ** 32);
    this.engine = MersenneTwister19937.seedWithArray(high > 0 ? [seed >>> 0, high] : [seed >>> 0]);
  }

  /** An integer in [0, 2^32): `random.getrandbits(32)`. */
  uint32(): number {
    return this.engine.next() >>> 0;
  }

  /** An integer in [0, n), n up to 2^32 - 1: draws as many high bits as n has until the result is below n. */
  below(n: number): number {
    const bits = 32 - Math.clz32(n);
    for (;;) {
      const drawn = this.uint32() >>> (32 - bits);
      if (drawn < n) return drawn;
    }
  }

  /** A shuffled copy, in the order of `random.shuffle`. */
  shuffle<T>(items: readonly T[]): T[] {
    const out = [...items];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [out[i], out[j]] = [out[j] as T, out[i] as T];
    }
    return out;
  }
}
