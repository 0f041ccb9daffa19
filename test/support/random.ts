import { tf } from '../../src/backend/index.js';
import { Rng, sizeOf } from '../../src/util/index.js';

/**
 * Normal deviates around 0, the same ones on every backend and processor.
 *
 * @param from - a stream to go on with, or the seed of a new one.
 */
export function normalTensor<R extends tf.Rank = tf.Rank>(shape: readonly number[], from: Rng | number, std = 1): tf.Tensor<R> {
  const rng = typeof from === 'number' ? Rng.seeded(from) : from;
  return tf.tensor<R>(
    Float32Array.from({ length: sizeOf(shape) }, () => rng.normal(0, std)),
    [...shape] as tf.ShapeMap[R],
  );
}
