import { largestTensorBytes, tf } from '../../backend/index.js';

/** How many scores are held at once, 256 MB, or fewer where the backend does not hold that in a tensor. A map of 64x64 has 16.8 million for each head. */
const LARGEST_SCORES = 2 ** 26;

/**
 * softmax(Q Kᵀ) V, a few heads at a time where the scores of all would be large.
 *
 * @param query - [n, heads, N, d] f32, scaled.
 * @param key - [n, heads, N, d] f32.
 * @param value - [n, heads, N, dv] f32.
 * @returns [n, heads, N, dv] f32.
 */
export function attendInParts(
  query: tf.Tensor4D,
  key: tf.Tensor4D,
  value: tf.Tensor4D,
  largestScores = Math.min(LARGEST_SCORES, largestTensorBytes() / 4),
): tf.Tensor4D {
  const [n, heads, area, d] = value.shape;
  const all = n * heads;
  const each = Math.max(1, Math.floor(largestScores / (area * area)));
  const flat = [query, key, value].map((t) => tf.reshape(t, [all, area, -1])) as Triple;
  if (each >= all) return tf.reshape(attend(flat), [n, heads, area, d]);
  const parts = Array.from({ length: Math.ceil(all / each) }, (_, i) =>
    tf.tidy(() => {
      const count = Math.min(each, all - i * each);
      return attend(flat.map((t) => t.slice([i * each, 0, 0], [count, -1, -1])) as Triple);
    }),
  );
  return tf.reshape(tf.concat(parts, 0), [n, heads, area, d]);
}

type Triple = [query: tf.Tensor3D, key: tf.Tensor3D, value: tf.Tensor3D];

function attend([query, key, value]: Triple): tf.Tensor3D {
  return tf.matMul(tf.softmax(tf.matMul(query, key, false, true)), value);
}
