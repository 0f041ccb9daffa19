/** The complete state of an {@link Rng}: four unsigned 32-bit words, as stored in checkpoints. */
export type RngState = readonly [number, number, number, number];

const GOLDEN = 0x9e3779b9;

/** Mixes a 32-bit word so that neighbouring seeds give unrelated streams (the finaliser of MurmurHash3). */
function mix(word: number): number {
  let x = word >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/**
 * Seeded random numbers (sfc32) whose state can be saved and restored, for exact repetition and resumption of runs.
 *
 * @see https://pracrand.sourceforge.net (Chris Doty-Humphrey, small fast counting generator)
 */
export class Rng {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  private constructor([a, b, c, d]: RngState) {
    this.a = a;
    this.b = b;
    this.c = c;
    this.d = d;
  }

  /** Creates a stream from an integer seed. Further numbers select an independent sub-stream (epoch, sample, worker). */
  static seeded(seed: number, ...path: readonly number[]): Rng {
    let a = mix(seed);
    let b = mix(seed / 2 ** 32 + GOLDEN);
    for (const step of path) {
      a = mix(a ^ mix(step + GOLDEN));
      b = mix(b + a + step);
    }
    const rng = new Rng([a, b, GOLDEN, 1]);
    for (let i = 0; i < 12; i++) rng.uint32();
    return rng;
  }

  /** Continues a stream from a saved state. */
  static fromState(state: RngState): Rng {
    return new Rng(state);
  }

  /** The state from which {@link fromState} continues. */
  state(): RngState {
    return [this.a >>> 0, this.b >>> 0, this.c >>> 0, this.d >>> 0];
  }

  /** A copy that produces the same numbers, leaving this stream unchanged. */
  clone(): Rng {
    return new Rng(this.state());
  }

  /** An independent stream; advances this one by a single draw. */
  fork(): Rng {
    return Rng.seeded(this.uint32());
  }

  /** An integer in [0, 2^32). */
  uint32(): number {
    const t = (this.a + this.b + this.d) | 0;
    this.d = (this.d + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + t;
    return t >>> 0;
  }

  /** A uniform number in [low, high). */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * (this.uint32() / 2 ** 32);
  }

  /** An integer in [0, n). */
  int(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  /** True with probability `p`. */
  chance(p: number): boolean {
    return this.uniform() < p;
  }

  /** A normal deviate (Box-Muller, one of the pair). */
  normal(mean = 0, std = 1): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return mean + std * radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** One element of a non-empty list. */
  pick<T>(items: readonly T[]): T {
    const item = items[this.int(items.length)];
    if (item === undefined) throw new RangeError('Rng.pick: the list is empty');
    return item;
  }

  /** A shuffled copy (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[] {
    const out = [...items];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      [out[i], out[j]] = [out[j] as T, out[i] as T];
    }
    return out;
  }
}
