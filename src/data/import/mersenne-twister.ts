const N = 624;
const M = 397;

/**
 * Python's generator, for splits that were made there: `random.seed(n)`, `random.shuffle(list)`.
 *
 * @see Matsumoto and Nishimura, Mersenne Twister, ACM TOMACS 8(1), 1998 (MT19937 with initialisation by an array)
 */
export class MersenneTwister {
  private readonly state = new Uint32Array(N);
  private at = N;

  /** @param seed - a whole number from 0 to 2^53, as in `random.seed(seed)`. */
  constructor(seed: number) {
    // Python seeds by the 32-bit digits of the number, the lowest first.
    const high = Math.floor(seed / 2 ** 32);
    this.seedByArray(high > 0 ? [seed >>> 0, high] : [seed >>> 0]);
  }

  /** A whole number in [0, 2^32). */
  uint32(): number {
    if (this.at >= N) this.refill();
    let y = this.state[this.at++] as number;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** A whole number in [0, n), n up to 2^32: as many high bits as n has, drawn again until they are below it. */
  below(n: number): number {
    const bits = 32 - Math.clz32(n);
    for (;;) {
      const drawn = this.uint32() >>> (32 - bits);
      if (drawn < n) return drawn;
    }
  }

  /** A shuffled copy, in the order that `random.shuffle` gives. */
  shuffle<T>(items: readonly T[]): T[] {
    const out = [...items];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [out[i], out[j]] = [out[j] as T, out[i] as T];
    }
    return out;
  }

  private seedByNumber(seed: number): void {
    const { state } = this;
    state[0] = seed;
    for (let i = 1; i < N; i++) {
      const last = state[i - 1] as number;
      state[i] = Math.imul(1812433253, last ^ (last >>> 30)) + i;
    }
  }

  private seedByArray(key: readonly number[]): void {
    const { state } = this;
    this.seedByNumber(19650218);
    let [i, j] = [1, 0];
    const mixed = (factor: number) => {
      const last = state[i - 1] as number;
      return (state[i] as number) ^ Math.imul(last ^ (last >>> 30), factor);
    };
    const step = () => {
      i += 1;
      if (i < N) return;
      state[0] = state[N - 1] as number;
      i = 1;
    };
    for (let k = Math.max(N, key.length); k > 0; k--) {
      state[i] = mixed(1664525) + (key[j] as number) + j;
      step();
      j = (j + 1) % key.length;
    }
    for (let k = N - 1; k > 0; k--) {
      state[i] = mixed(1566083941) - i;
      step();
    }
    state[0] = 0x80000000;
    this.at = N;
  }

  private refill(): void {
    const { state } = this;
    for (let k = 0; k < N; k++) {
      const y = ((state[k] as number) & 0x80000000) | ((state[(k + 1) % N] as number) & 0x7fffffff);
      state[k] = (state[(k + M) % N] as number) ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.at = 0;
  }
}
