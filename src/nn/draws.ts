import { hasNativeDropout, nativeDropout, tf } from '../backend/index.js';
import { Rng, sizeOf } from '../util/index.js';

/** Streams that are drawn from in turns, and numbers in a chunk, which has streams of its own: as in `native/dropout.cc`. */
const STREAMS = 8;
const CHUNK = 8192;

/** The seed of a pass: a word on the host, and the same as a tensor, which a recorded graph takes as an input. */
export class PassSeed {
  readonly word: number;
  private made: tf.Tensor1D | undefined;

  /** @param word - an integer of 32 bits. */
  constructor(word: number) {
    this.word = word;
  }

  /** [1] i32. */
  get tensor(): tf.Tensor1D {
    this.made ??= tf.keep(tf.tensor1d(Int32Array.of(this.word), 'int32'));
    return this.made;
  }

  dispose(): void {
    this.made?.dispose();
    this.made = undefined;
  }
}

/**
 * The random numbers of one block of a pass. Each draw is a function of the pass's seed, of the number of the block and of that of
 * the draw, so that computing the block again repeats it, and a recorded graph draws other numbers for each seed.
 */
export class Draws {
  private readonly seed: PassSeed;
  private readonly block: number;
  private next = 0;

  constructor(seed: PassSeed, block = 0) {
    this.seed = seed;
    this.block = block;
  }

  /**
   * Zeroes elements with probability `rate` and scales the others by 1 / (1 - rate), preserving the mean.
   *
   * @param x - f32 of any shape.
   * @param each - how many neighbours in memory share a draw; divides the size.
   */
  drop<T extends tf.Tensor>(x: T, rate: number, each = 1): T {
    const draw = this.next++;
    const { seed, block } = this;
    const threshold = Math.ceil(rate * 2 ** 32);
    const scale = rate < 1 ? 1 / (1 - rate) : 0;
    if (!hasNativeDropout())
      return tf.tidy(() => tf.mul(x, keepMask(x.shape, { word: seed.word, block, draw, each, threshold, scale })) as T);
    const settings = { block, draw, each, threshold, scale };
    const words = seed.tensor;
    const op = tf.customGrad((input) => ({
      value: nativeDropout(input as tf.Tensor, words, settings),
      gradFunc: (dy: tf.Tensor) => nativeDropout(dy, words, settings),
    }));
    return op(x) as T;
  }
}

interface MaskSettings {
  readonly word: number;
  readonly block: number;
  readonly draw: number;
  readonly each: number;
  readonly threshold: number;
  readonly scale: number;
}

function keepMask(shape: number[], { word, block, draw, each, threshold, scale }: MaskSettings): tf.Tensor {
  const mask = new Float32Array(sizeOf(shape));
  const count = mask.length / each;
  for (let chunk = 0; chunk * CHUNK < count; chunk++) {
    const streams = Array.from({ length: STREAMS }, (_, i) => Rng.seeded(word, block, draw, chunk * STREAMS + i));
    for (let i = chunk * CHUNK; i < Math.min(count, (chunk + 1) * CHUNK); i++) {
      const number = (streams[i % STREAMS] as Rng).uint32();
      mask.fill(number < threshold ? 0 : scale, i * each, (i + 1) * each);
    }
  }
  return tf.tensor(mask, shape);
}
